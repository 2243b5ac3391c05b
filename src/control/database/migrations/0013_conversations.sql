CREATE TABLE `conversation_item` (
	`conversation` text NOT NULL,
	`place` integer NOT NULL,
	`part` integer NOT NULL,
	`id` text,
	`item` text,
	`job` text,
	`asked` integer,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`conversation`, `place`, `part`),
	FOREIGN KEY (`conversation`) REFERENCES `conversation`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `conversation_item_age` ON `conversation_item` (`created_at`);--> statement-breakpoint
CREATE TABLE `conversation` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`metadata` text NOT NULL,
	`created_at` integer NOT NULL,
	`used_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `conversation_used_at` ON `conversation` (`used_at`);