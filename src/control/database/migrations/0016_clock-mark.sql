CREATE TABLE `clock_mark` (
	`id` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`boot` text,
	`uptime_ms` integer,
	`doubted_ms` integer
);
