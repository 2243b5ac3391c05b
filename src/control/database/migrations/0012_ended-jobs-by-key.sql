DROP INDEX `job_by_key`;--> statement-breakpoint
CREATE INDEX `job_by_key` ON `job` (`key`,`finished_at`) WHERE finished_at is not null;