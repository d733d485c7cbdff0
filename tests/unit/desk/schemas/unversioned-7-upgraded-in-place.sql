BEGIN TRANSACTION;
CREATE TABLE arrivals (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	exercise VARCHAR NOT NULL, 
	consumer VARCHAR NOT NULL, 
	outcome_url VARCHAR NOT NULL, 
	sourcedid VARCHAR NOT NULL, 
	services JSON, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (username, course, exercise)
);
INSERT INTO "arrivals" VALUES('uada0000000000000','rr2','mean','campus','https://campus.example/outcomes','course-v1:x:1','null',1764500203.0);
INSERT INTO "arrivals" VALUES('ubob0000000000000','rr2','mean','campus-13','','','{"lineitem": "https://campus.example/li/1", "scope": ["score"]}',1764500204.0);
INSERT INTO "arrivals" VALUES('uada0000000000000','rr3','mean','campus','https://campus.example/outcomes','course-v1:x:1','null',1764500303.0);
INSERT INTO "arrivals" VALUES('ubob0000000000000','rr3','mean','campus-13','','','{"lineitem": "https://campus.example/li/1", "scope": ["score"]}',1764500304.0);
INSERT INTO "arrivals" VALUES('uada0000000000000','rr4','mean','campus','https://campus.example/outcomes','course-v1:x:1','null',1764500403.0);
INSERT INTO "arrivals" VALUES('ubob0000000000000','rr4','mean','campus-13','','','{"lineitem": "https://campus.example/li/1", "scope": ["score"]}',1764500404.0);
INSERT INTO "arrivals" VALUES('uada0000000000000','rr5','mean','campus','https://campus.example/outcomes','course-v1:x:1','null',1764500503.0);
INSERT INTO "arrivals" VALUES('ubob0000000000000','rr5','mean','campus-13','','','{"lineitem": "https://campus.example/li/1", "scope": ["score"]}',1764500504.0);
INSERT INTO "arrivals" VALUES('uada0000000000000','rr6','mean','campus','https://campus.example/outcomes','course-v1:x:1','null',1764500603.0);
INSERT INTO "arrivals" VALUES('ubob0000000000000','rr6','mean','campus-13','','','{"lineitem": "https://campus.example/li/1", "scope": ["score"]}',1764500604.0);
CREATE TABLE attempts (
	id INTEGER NOT NULL, 
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	exercise VARCHAR NOT NULL, 
	"commit" VARCHAR NOT NULL, 
	committed VARCHAR NOT NULL, 
	checked FLOAT NOT NULL, 
	digest VARCHAR NOT NULL, 
	score FLOAT NOT NULL, 
	comparison TEXT, 
	PRIMARY KEY (id)
);
INSERT INTO "attempts" VALUES(1,'uada0000000000000','rr2','mean','c0ffee1','2026-11-25T10:00:00Z',1764500206.0,'digest-1',0.25,NULL);
INSERT INTO "attempts" VALUES(2,'uada0000000000000','rr2','mean','c0ffee2','2026-11-25T10:00:00Z',1764500207.0,'digest-2',1.0,'{"parts": [{"name": "moyenne", "score": 1.0}]}');
INSERT INTO "attempts" VALUES(3,'ubob0000000000000','rr2','mean','f00d','2026-11-25T11:00:00Z',1764500208.0,'digest-3',0.5,'{"parts": []}');
INSERT INTO "attempts" VALUES(4,'uada0000000000000','rr3','mean','c0ffee1','2026-11-25T10:00:00Z',1764500306.0,'digest-1',0.25,NULL);
INSERT INTO "attempts" VALUES(5,'uada0000000000000','rr3','mean','c0ffee2','2026-11-25T10:00:00Z',1764500307.0,'digest-2',1.0,'{"parts": [{"name": "moyenne", "score": 1.0}]}');
INSERT INTO "attempts" VALUES(6,'ubob0000000000000','rr3','mean','f00d','2026-11-25T11:00:00Z',1764500308.0,'digest-3',0.5,'{"parts": []}');
INSERT INTO "attempts" VALUES(7,'uada0000000000000','rr4','mean','c0ffee1','2026-11-25T10:00:00Z',1764500406.0,'digest-1',0.25,NULL);
INSERT INTO "attempts" VALUES(8,'uada0000000000000','rr4','mean','c0ffee2','2026-11-25T10:00:00Z',1764500407.0,'digest-2',1.0,'{"parts": [{"name": "moyenne", "score": 1.0}]}');
INSERT INTO "attempts" VALUES(9,'ubob0000000000000','rr4','mean','f00d','2026-11-25T11:00:00Z',1764500408.0,'digest-3',0.5,'{"parts": []}');
INSERT INTO "attempts" VALUES(10,'uada0000000000000','rr5','mean','c0ffee1','2026-11-25T10:00:00Z',1764500506.0,'digest-1',0.25,NULL);
INSERT INTO "attempts" VALUES(11,'uada0000000000000','rr5','mean','c0ffee2','2026-11-25T10:00:00Z',1764500507.0,'digest-2',1.0,'{"parts": [{"name": "moyenne", "score": 1.0}]}');
INSERT INTO "attempts" VALUES(12,'ubob0000000000000','rr5','mean','f00d','2026-11-25T11:00:00Z',1764500508.0,'digest-3',0.5,'{"parts": []}');
INSERT INTO "attempts" VALUES(13,'uada0000000000000','rr6','mean','c0ffee1','2026-11-25T10:00:00Z',1764500606.0,'digest-1',0.25,NULL);
INSERT INTO "attempts" VALUES(14,'uada0000000000000','rr6','mean','c0ffee2','2026-11-25T10:00:00Z',1764500607.0,'digest-2',1.0,'{"parts": [{"name": "moyenne", "score": 1.0}]}');
INSERT INTO "attempts" VALUES(15,'ubob0000000000000','rr6','mean','f00d','2026-11-25T11:00:00Z',1764500608.0,'digest-3',0.5,'{"parts": []}');
CREATE TABLE grades (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	exercise VARCHAR NOT NULL, 
	score FLOAT NOT NULL, 
	sent FLOAT, 
	sent_at FLOAT, 
	tries INTEGER NOT NULL, 
	due FLOAT NOT NULL, 
	reason VARCHAR NOT NULL, 
	PRIMARY KEY (username, course, exercise)
);
INSERT INTO "grades" VALUES('uada0000000000000','rr2','mean',1.0,1.0,1764500212.0,0,1764500213.0,'');
INSERT INTO "grades" VALUES('ubob0000000000000','rr2','mean',0.5,NULL,NULL,1,1764500230.0,'la plateforme ne répond pas');
INSERT INTO "grades" VALUES('uada0000000000000','rr3','mean',1.0,1.0,1764500312.0,0,1764500313.0,'');
INSERT INTO "grades" VALUES('ubob0000000000000','rr3','mean',0.5,NULL,NULL,1,1764500330.0,'la plateforme ne répond pas');
INSERT INTO "grades" VALUES('uada0000000000000','rr4','mean',1.0,1.0,1764500412.0,0,1764500412.0,'');
INSERT INTO "grades" VALUES('ubob0000000000000','rr4','mean',0.5,NULL,NULL,1,1764500429.0,'la plateforme ne répond pas');
INSERT INTO "grades" VALUES('uada0000000000000','rr5','mean',1.0,1.0,1764500512.0,0,1764500512.0,'');
INSERT INTO "grades" VALUES('ubob0000000000000','rr5','mean',0.5,NULL,NULL,1,1764500529.0,'la plateforme ne répond pas');
INSERT INTO "grades" VALUES('uada0000000000000','rr6','mean',1.0,1.0,1764500612.0,0,1764500612.0,'');
INSERT INTO "grades" VALUES('ubob0000000000000','rr6','mean',0.5,NULL,NULL,1,1764500629.0,'la plateforme ne répond pas');
CREATE TABLE lent (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	PRIMARY KEY (username, course)
);
INSERT INTO "lent" VALUES('uada0000000000000','rr3');
INSERT INTO "lent" VALUES('uada0000000000000','rr4');
INSERT INTO "lent" VALUES('uada0000000000000','rr5');
INSERT INTO "lent" VALUES('uada0000000000000','rr6');
CREATE TABLE people (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	staff BOOLEAN NOT NULL, consumer VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (username, course)
);
INSERT INTO "people" VALUES('uada0000000000000','rr2','Ada Lovelace',0,'campus');
INSERT INTO "people" VALUES('ubob0000000000000','rr2','Bob O''Hara; DROP',0,'campus-13');
INSERT INTO "people" VALUES('uprof000000000000','rr2','Zoë',1,'');
INSERT INTO "people" VALUES('uada0000000000000','rr3','Ada Lovelace',0,'campus');
INSERT INTO "people" VALUES('ubob0000000000000','rr3','Bob O''Hara; DROP',0,'campus-13');
INSERT INTO "people" VALUES('uprof000000000000','rr3','Zoë',1,'');
INSERT INTO "people" VALUES('uada0000000000000','rr4','Ada Lovelace',0,'campus');
INSERT INTO "people" VALUES('ubob0000000000000','rr4','Bob O''Hara; DROP',0,'campus-13');
INSERT INTO "people" VALUES('uprof000000000000','rr4','Zoë',1,'campus');
INSERT INTO "people" VALUES('uada0000000000000','rr5','Ada Lovelace',0,'campus');
INSERT INTO "people" VALUES('ubob0000000000000','rr5','Bob O''Hara; DROP',0,'campus-13');
INSERT INTO "people" VALUES('uprof000000000000','rr5','Zoë',1,'campus');
INSERT INTO "people" VALUES('uada0000000000000','rr6','Ada Lovelace',0,'campus');
INSERT INTO "people" VALUES('ubob0000000000000','rr6','Bob O''Hara; DROP',0,'campus-13');
INSERT INTO "people" VALUES('uprof000000000000','rr6','Zoë',1,'campus');
CREATE TABLE rechecks (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	exercise VARCHAR NOT NULL, 
	PRIMARY KEY (username, course, exercise)
);
INSERT INTO "rechecks" VALUES('ubob0000000000000','rr2','mean');
INSERT INTO "rechecks" VALUES('ubob0000000000000','rr3','mean');
INSERT INTO "rechecks" VALUES('ubob0000000000000','rr4','mean');
INSERT INTO "rechecks" VALUES('ubob0000000000000','rr5','mean');
INSERT INTO "rechecks" VALUES('ubob0000000000000','rr6','mean');
CREATE TABLE revocations (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	PRIMARY KEY (username, course)
);
INSERT INTO "revocations" VALUES('ubob0000000000000','rr1');
INSERT INTO "revocations" VALUES('ubob0000000000000','rr2');
INSERT INTO "revocations" VALUES('ubob0000000000000','rr3');
INSERT INTO "revocations" VALUES('ubob0000000000000','rr4');
INSERT INTO "revocations" VALUES('ubob0000000000000','rr5');
INSERT INTO "revocations" VALUES('ubob0000000000000','rr6');
CREATE TABLE spaces (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	email VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	project VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	branch VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	checked FLOAT NOT NULL, 
	PRIMARY KEY (username, course)
);
INSERT INTO "spaces" VALUES('uada0000000000000','rr1','Ada Lovelace','ada@campus.example','ready','uada/rr1','https://gitlab.example/uada/rr1','main','',1764500102.0);
INSERT INTO "spaces" VALUES('ubob0000000000000','rr1','Bob O''Hara; DROP','bob@campus.example','asked','','','','GitLab ne répond pas',0.0);
INSERT INTO "spaces" VALUES('uada0000000000000','rr2','Ada Lovelace','ada@campus.example','ready','uada/rr2','https://gitlab.example/uada/rr2','main','',1764500202.0);
INSERT INTO "spaces" VALUES('ubob0000000000000','rr2','Bob O''Hara; DROP','bob@campus.example','asked','','','','GitLab ne répond pas',0.0);
INSERT INTO "spaces" VALUES('uada0000000000000','rr3','Ada Lovelace','ada@campus.example','ready','uada/rr3','https://gitlab.example/uada/rr3','main','',1764500302.0);
INSERT INTO "spaces" VALUES('ubob0000000000000','rr3','Bob O''Hara; DROP','bob@campus.example','asked','','','','GitLab ne répond pas',0.0);
INSERT INTO "spaces" VALUES('uada0000000000000','rr4','Ada Lovelace','ada@campus.example','ready','uada/rr4','https://gitlab.example/uada/rr4','main','',1764500402.0);
INSERT INTO "spaces" VALUES('ubob0000000000000','rr4','Bob O''Hara; DROP','bob@campus.example','asked','','','','GitLab ne répond pas',0.0);
INSERT INTO "spaces" VALUES('uada0000000000000','rr5','Ada Lovelace','ada@campus.example','ready','uada/rr5','https://gitlab.example/uada/rr5','main','',1764500502.0);
INSERT INTO "spaces" VALUES('ubob0000000000000','rr5','Bob O''Hara; DROP','bob@campus.example','asked','','','','GitLab ne répond pas',0.0);
INSERT INTO "spaces" VALUES('uada0000000000000','rr6','Ada Lovelace','ada@campus.example','ready','uada/rr6','https://gitlab.example/uada/rr6','main','',1764500602.0);
INSERT INTO "spaces" VALUES('ubob0000000000000','rr6','Bob O''Hara; DROP','bob@campus.example','asked','','','','GitLab ne répond pas',0.0);
CREATE INDEX ix_attempts_username ON attempts (username);
CREATE INDEX ix_attempts_course ON attempts (course);
COMMIT;
