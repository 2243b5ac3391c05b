// A private certificate authority and the certificates that it gives out: ECDSA over P-256, X.509 (RFC 5280).
// Before @peculiar/x509, whose dependency injection wants it.
import "reflect-metadata";
import { isIP } from "node:net";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** Both in PEM. */
export type Pair = { certificate: string; key: string };
export type Validity = { notBefore: Date; notAfter: Date };

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** For signing certificates alone, and none that sign others. */
export async function createAuthority(name: string, validity: Validity): Promise<Pair> {
  const keys = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
}

/** For a server with these host names (a `*.` may begin them) and addresses. Throws for an authority that is none. */
export async function issueCertificate(authority: Pair, names: readonly string[], validity: Validity): Promise<Pair> {
  const issuer = new X509Certificate(authority.certificate);
  const keys = await newKeys();
  const extensions: Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(
      names.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value })),
    ),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
    // Python's strict check wants it.
    await AuthorityKeyIdentifierExtension.create(issuer),
  ];
  const certificate = await X509CertificateGenerator.create({
    ...validity,
    subject: [{ CN: [names[0] ?? ""] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    signingAlgorithm: ALGORITHM,
    extensions,
  });
  return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
}

const newKeys = () => crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

const pem = (certificate: X509Certificate) => `${certificate.toString("pem")}\n`;

const privatePem = async (key: CryptoKey) =>
  `${PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), PemConverter.PrivateKeyTag)}\n`;

const importKey = (text: string) =>
  crypto.subtle.importKey("pkcs8", PemConverter.decodeFirst(text), ALGORITHM, false, ["sign"]);
