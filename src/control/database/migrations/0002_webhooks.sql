CREATE TABLE `webhook_delivery` (
	`job` text PRIMARY KEY NOT NULL,
	`url` text NOT NULL,
	`host` text NOT NULL,
	`origin` text NOT NULL,
	`status` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`due_at` integer,
	`settled_at` integer,
	`http_status` integer,
	`reason` text,
	FOREIGN KEY (`job`) REFERENCES `job`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `webhook_due` ON `webhook_delivery` (`due_at`,`host`) WHERE status = 'pending';--> statement-breakpoint
CREATE INDEX `webhook_by_status` ON `webhook_delivery` (`status`,`job`);