// URLs that a user must not be able to make this box open. `port` is where a canary listens on every address of this machine.

export const hostileUrls = (port: number): string[] => [
  // Schemes that are no web.
  ...["file:///etc/passwd", "file://localhost/etc/passwd", "ftp://127.0.0.1/", `gopher://127.0.0.1:${port}/_GET`],
  ...[`dict://127.0.0.1:${port}/info`, "ldap://127.0.0.1/", `ws://127.0.0.1:${port}/`, "unix:///var/run/docker.sock"],
  ...[
    "jar:http://127.0.0.1!/",
    "javascript:fetch('http://127.0.0.1')",
    "view-source:http://127.0.0.1",
    "blob:http://127.0.0.1/1",
  ],
  // This machine, in every spelling of an IPv4 address.
  ...hosts(port, ["127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "017700000001"]),
  ...hosts(port, ["0177.0.0.1", "0177.1", "127.0.0.1.", "127.255.255.254", "0.0.0.0", "0", "00000", "0x0"]),
  ...hosts(port, ["%31%32%37%2e%30%2e%30%2e%31", "127%2e0%2e0%2e1", "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.０.０.１"]),
  // By name.
  ...hosts(port, ["localhost", "LOCALHOST", "localhost.", "a.localhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "localhost%2e"]),
  // IPv6: itself, unspecified, and forms that carry an IPv4 address.
  ...hosts(port, [
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
  ]),
  ...hosts(port, [
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
  ]),
  ...hosts(port, [
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
  ]),
  // Private networks and what is reserved.
  ...hosts(port, ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.0.1", "100.64.0.1", "198.18.0.1", "192.0.0.8"]),
  ...hosts(port, ["192.0.2.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"]),
  // What clouds say to their machines.
  ...["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"].map(
    (host) => `http://${host}/latest/meta-data/`,
  ),
  ...["[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]"].map(
    (host) => `http://${host}/latest/meta-data/`,
  ),
  ...[
    "http://100.100.100.200/latest/",
    "http://168.63.129.16/metadata",
    "http://169.254.170.2/v2/credentials",
    "http://192.0.0.192/opc/",
  ],
  // A harmless part before, behind or inside.
  `http://example.com@127.0.0.1:${port}/`,
  `http://example.com:80@127.0.0.1:${port}/`,
  `http://example.com%40@127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}\\@example.com/`,
  `http:\\\\127.0.0.1:${port}/`,
  `http:127.0.0.1:${port}/`,
  `http:/127.0.0.1:${port}/`,
  ` http://127.0.0.1:${port}/`,
  `http://127.0.0.1:${port}/#@example.com/`,
  `http://127.0.0.1:${port}?@example.com/`,
  `ht\ntp://127.0.0.1:${port}/`,
  `http://127.0.\t0.1:${port}/`,
  `HTTP://127.0.0.1:${port}/`,
];

const hosts = (port: number, names: string[]) => names.map((host) => `http://${host}:${port}/`);
