CREATE TABLE `model_measure` (
	`model` text NOT NULL,
	`device` text NOT NULL,
	`memory` integer,
	`load_ms` real,
	`run_ms` real,
	PRIMARY KEY(`model`, `device`)
);
--> statement-breakpoint
CREATE TABLE `model_popularity` (
	`model` text PRIMARY KEY NOT NULL,
	`sitting` real NOT NULL,
	`hour` real NOT NULL,
	`day` real NOT NULL,
	`at` integer NOT NULL
);
