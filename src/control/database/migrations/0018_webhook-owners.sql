DROP INDEX `alert_due`;--> statement-breakpoint
ALTER TABLE `alert` ADD `owner` text;--> statement-breakpoint
CREATE INDEX `alert_due` ON `alert` (`due_at`,`host`,`owner`) WHERE status = 'pending';--> statement-breakpoint
DROP INDEX `webhook_due`;--> statement-breakpoint
ALTER TABLE `webhook_delivery` ADD `owner` text;--> statement-breakpoint
CREATE INDEX `webhook_due` ON `webhook_delivery` (`due_at`,`host`,`owner`) WHERE status = 'pending';