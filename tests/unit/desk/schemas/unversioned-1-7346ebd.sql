BEGIN TRANSACTION;
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
COMMIT;
