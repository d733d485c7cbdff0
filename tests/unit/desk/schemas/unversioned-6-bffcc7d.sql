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
INSERT INTO "arrivals" VALUES('uada0000000000000','rr1','mean','campus','https://campus.example/outcomes','course-v1:x:1','null',1764500103.0);
INSERT INTO "arrivals" VALUES('ubob0000000000000','rr1','mean','campus-13','','','{"lineitem": "https://campus.example/li/1", "scope": ["score"]}',1764500104.0);
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
INSERT INTO "attempts" VALUES(1,'uada0000000000000','rr1','mean','c0ffee1','2026-11-25T10:00:00Z',1764500106.0,'digest-1',0.25,NULL);
INSERT INTO "attempts" VALUES(2,'uada0000000000000','rr1','mean','c0ffee2','2026-11-25T10:00:00Z',1764500107.0,'digest-2',1.0,'{"parts": [{"name": "moyenne", "score": 1.0}]}');
INSERT INTO "attempts" VALUES(3,'ubob0000000000000','rr1','mean','f00d','2026-11-25T11:00:00Z',1764500108.0,'digest-3',0.5,'{"parts": []}');
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
INSERT INTO "grades" VALUES('uada0000000000000','rr1','mean',1.0,1.0,1764500112.0,0,1764500112.0,'');
INSERT INTO "grades" VALUES('ubob0000000000000','rr1','mean',0.5,NULL,NULL,1,1764500129.0,'la plateforme ne répond pas');
CREATE TABLE lent (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	PRIMARY KEY (username, course)
);
INSERT INTO "lent" VALUES('uada0000000000000','rr1');
CREATE TABLE people (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	staff BOOLEAN NOT NULL, 
	consumer VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (username, course)
);
INSERT INTO "people" VALUES('uada0000000000000','rr1','Ada Lovelace',0,'campus');
INSERT INTO "people" VALUES('ubob0000000000000','rr1','Bob O''Hara; DROP',0,'campus-13');
INSERT INTO "people" VALUES('uprof000000000000','rr1','Zoë',1,'campus');
CREATE TABLE rechecks (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	exercise VARCHAR NOT NULL, 
	PRIMARY KEY (username, course, exercise)
);
INSERT INTO "rechecks" VALUES('ubob0000000000000','rr1','mean');
CREATE TABLE revocations (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	PRIMARY KEY (username, course)
);
INSERT INTO "revocations" VALUES('ubob0000000000000','rr1');
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
CREATE INDEX ix_attempts_course ON attempts (course);
CREATE INDEX ix_attempts_username ON attempts (username);
COMMIT;
