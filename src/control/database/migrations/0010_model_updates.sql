CREATE TABLE `model_update` (
	`id` text PRIMARY KEY NOT NULL,
	`model` text NOT NULL,
	`repo` text NOT NULL,
	`from` text NOT NULL,
	`to` text NOT NULL,
	`state` text NOT NULL,
	`reason` text,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `update_by_model` ON `model_update` (`model`,`id`);