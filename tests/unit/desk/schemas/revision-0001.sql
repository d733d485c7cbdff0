BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
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
INSERT INTO "arrivals" VALUES('uada0000000000000','rr1','mean','campus','https://campus.example/outcomes','course-v1:x:1','null',1.0);
INSERT INTO "arrivals" VALUES('ubob0000000000000','rr1','mean','campus-13','','','{"lineitem": "https://campus.example/1"}',2.0);
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
INSERT INTO "attempts" VALUES(1,'uada0000000000000','rr1','mean','c0ffee1','2026-11-25T10:01:00Z',3.0,'d1',0.25,NULL);
INSERT INTO "attempts" VALUES(2,'uada0000000000000','rr1','mean','c0ffee2','2026-11-25T10:02:00Z',3.0,'d2',1.0,'{"parts": [{"name": "moyenne", "score": 1.0}]}');
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
INSERT INTO "grades" VALUES('uada0000000000000','rr1','mean',1.0,NULL,NULL,1,1.79606127575906896593e+09,'la plateforme ne répond pas');
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
INSERT INTO "people" VALUES('ubob0000000000000','rr1','Bob O''Hara',0,'campus-13');
CREATE TABLE rechecks (
	username VARCHAR NOT NULL, 
	course VARCHAR NOT NULL, 
	exercise VARCHAR NOT NULL, 
	PRIMARY KEY (username, course, exercise)
);
INSERT INTO "rechecks" VALUES('uada0000000000000','rr1','mean');
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
INSERT INTO "spaces" VALUES('uada0000000000000','rr1','Ada Lovelace','ada@campus.example','ready','ada/rr1','https://gitlab.example/ada/rr1','main','',1.79606126074177670478e+09);
INSERT INTO "spaces" VALUES('ubob0000000000000','rr1','Bob O''Hara','bob@campus.example','asked','','','','GitLab ne répond pas',0.0);
CREATE INDEX ix_attempts_username ON attempts (username);
CREATE INDEX ix_attempts_course ON attempts (course);
COMMIT;
