CREATE TABLE `room` (
	`key` text NOT NULL,
	`part` text NOT NULL,
	`bytes` integer NOT NULL,
	PRIMARY KEY(`key`, `part`)
);
--> statement-breakpoint
ALTER TABLE `conversation_item` ADD `bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `conversation_item_id` ON `conversation_item` (`id`) WHERE id is not null;--> statement-breakpoint
CREATE INDEX `conversation_item_job` ON `conversation_item` (`job`) WHERE job is not null;--> statement-breakpoint
ALTER TABLE `conversation` ADD `bytes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `upload` ADD `held` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `upload_by_key` ON `upload` (`key`,`created_at`,`token`) WHERE completed_at is not null;--> statement-breakpoint
UPDATE `conversation_item` SET `bytes` = 512 + coalesce(length(CAST(`item` AS BLOB)), 0);--> statement-breakpoint
UPDATE `conversation` SET `bytes` = 512 + length(CAST(`metadata` AS BLOB)) + (SELECT coalesce(sum(i.`bytes`), 0) FROM `conversation_item` i WHERE i.`conversation` = `conversation`.`id`);--> statement-breakpoint
UPDATE `upload` SET `held` = 16384 + coalesce(`size`, 0);--> statement-breakpoint
INSERT INTO `room` SELECT `key`, 'conversations', sum(`bytes`) FROM `conversation` GROUP BY `key`;--> statement-breakpoint
INSERT INTO `room` SELECT `key`, 'uploads', sum(`held`) FROM `upload` GROUP BY `key`;
