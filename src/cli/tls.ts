// `forecourt tls`: certificates for boxes that no public authority knows. fal's Python client speaks https only.
import { isIP } from "node:net";
import { Command } from "commander";
import { FAL_HOSTS } from "../gateway/fal/proxy.ts";
import { wrongUsage } from "./failure.ts";
import { note, printJson } from "./terminal.ts";
import { type CertificateFiles, writeCertificates } from "./tls/certificate-files.ts";

export const tls = () =>
  new Command("tls").description("Certificates for serving over https within a private network.").addCommand(init());

type Flags = { names: string; dir: string; falHosts?: true; days: string; json?: true };

const init = () =>
  new Command("init")
    .summary("make a private CA and a certificate for this box")
    .description(
      "Makes a private certificate authority and a certificate for the given names. In a directory that has an authority, it is used again.",
    )
    .requiredOption("--names <names>", "host names and addresses of this box, separated by commas")
    .option("--dir <dir>", "where the files go", "tls")
    .option("--fal-hosts", "add fal's own host names, for clients whose DNS leads them here")
    .option("--days <number>", "the certificate ends after so many days", "825")
    .option("--json", "print as JSON")
    .action(async ({ names: list, dir, falHosts, days, json }: Flags) => {
      const names = [...namesOf(list), ...(falHosts ? FAL_HOSTS : [])];
      const { files, isNewAuthority } = await writeCertificates({ dir, names, days: daysOf(days), now: new Date() });
      if (json) return printJson({ ...files, names, is_new_authority: isNewAuthority });
      for (const line of explain(files, { names, isNewAuthority })) note(line);
    });

/** A label of a host name (RFC 1123); `*` may be the first. */
const HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

function namesOf(list: string): string[] {
  const names = list.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !isIP(name) && !HOST.test(name));
  if (wrong !== undefined) throw wrongUsage(`--names: ${JSON.stringify(wrong)} is no host name and no address.`);
  return [...new Set(names)];
}

function daysOf(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw wrongUsage(`--days: ${JSON.stringify(text)} is no number of days from 1 to 9999.`);
}

type Made = { names: string[]; isNewAuthority: boolean };

const explain = ({ authority, authorityKey, certificate, key }: CertificateFiles, { names, isNewAuthority }: Made) => [
  `${isNewAuthority ? "Made a private authority" : "Used the authority that was there"} and made a certificate for ${names.join(", ")}.`,
  "",
  "Serve with it, in appliance.yaml:",
  `  tls:\n    cert: ${certificate}\n    key: ${key}`,
  "",
  `Clients need ${authority} (no secret) and trust it by an environment variable:`,
  `  JavaScript (Node, Bun)  NODE_EXTRA_CA_CERTS=${authority}`,
  `  Python, curl, OpenSSL   SSL_CERT_FILE=${authority}`,
  `  Python requests         REQUESTS_CA_BUNDLE=${authority}`,
  "",
  `Keep ${authorityKey} to yourself: whoever has it can pretend to be any site to those clients.`,
];
