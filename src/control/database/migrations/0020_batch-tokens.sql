ALTER TABLE `batch` ADD `input_tokens` integer;--> statement-breakpoint
ALTER TABLE `batch` ADD `cached_tokens` integer;--> statement-breakpoint
ALTER TABLE `batch` ADD `output_tokens` integer;