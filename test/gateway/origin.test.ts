import { describe, expect, test } from "bun:test";
import { hostOf, originOf, settleAddress } from "../../src/gateway/origin.ts";

const request = (headers: Record<string, string> = {}, url = "http://box.local:3250/run/x?y=1") =>
  new Request(url, { headers });

describe("the caller's own origin", () => {
  test("is the one of the request", () => {
    expect(originOf(request(), "")).toBe("http://box.local:3250");
    expect(originOf(request({}, "http://[::1]:3250/"), "")).toBe("http://[::1]:3250");
  });

  test("is what the reverse proxy forwards, nearest to the caller first", () => {
    const headers = { "x-forwarded-proto": "https, http", "x-forwarded-host": "ai.example.org, inner.local" };
    expect(originOf(request(headers), "")).toBe("https://ai.example.org");
    expect(originOf(request({ "x-forwarded-proto": "https" }), "")).toBe("https://box.local:3250");
    expect(originOf(request({ "x-forwarded-host": "[2001:db8::1]:8443" }), "")).toBe("http://[2001:db8::1]:8443");
  });

  test("is the operator's word above all", () => {
    const headers = { "x-forwarded-host": "other.example.org" };
    expect(originOf(request(headers), "https://ai.example.org/box")).toBe("https://ai.example.org/box");
  });

  test.each(["evil.example/path", "evil.example?x", "a b", 'x"y', "javascript:alert(1)//", "user@evil", ""])(
    "is never made of a forwarded host like %p",
    (host) => {
      expect(originOf(request({ "x-forwarded-host": host, "x-forwarded-proto": "gopher" }), "")).toBe(
        "http://box.local:3250",
      );
    },
  );

  test("a host's name comes without its port", () => {
    expect(hostOf("https://fal.run/x")).toBe("fal.run");
    expect(hostOf("http://queue.fal.run:8080")).toBe("queue.fal.run");
  });

  test("a path without a host, as HTTP/1.0 allows, is this box and no name of fal's", () => {
    const settled = (url: string) => {
      const bare = Object.defineProperty(new Request("http://localhost/"), "url", { value: url, configurable: true });
      expect(settleAddress(bare)).toBeUndefined();
      return bare.url;
    };
    expect(settled("/files/a?x=1")).toBe("http://localhost/files/a?x=1");
    expect(hostOf(settled("//fal.run/a"))).toBe("localhost");
    expect(hostOf(settled("/xfal.run/a"))).toBe("localhost");
  });

  test("a star that the router would take for its own is encoded, and the host stays", () => {
    const settled = (url: string) => {
      const request = Object.defineProperty(new Request("http://localhost/"), "url", {
        value: url,
        configurable: true,
      });
      expect(settleAddress(request)).toBeUndefined();
      return request.url;
    };
    expect(settled("http://box.example/run/*/")).toBe("http://box.example/run/%2A/");
    expect(settled("http://gpu/run/*/?a=*/")).toBe("http://localhost/run/%2A/?a=*/");
    for (const same of ["http://box.example/run/*", "http://box.example/run/*/x", "http://box.example/run/x?a=*/"])
      expect(settled(same)).toBe(same);
  });

  test("one host after another is judged by itself, however often it comes", () => {
    const judged = (host: string) => {
      const url = `http://${host}/run/x?y=1`;
      return settleAddress(
        Object.defineProperty(new Request("http://localhost/"), "url", { value: url, configurable: true }),
      );
    };
    for (let time = 0; time < 3; time++) {
      for (const possible of ["box.example", "box.example", "[::1]:3250", "10.0.0.7:65535", "box.example:80"])
        expect([possible, judged(possible)]).toEqual([possible, undefined]);
      for (const none of [
        "box.example:65536",
        "[::1",
        "1.2.3.4.5",
        "box.example:port",
        "xn--a",
        "a b",
        "%",
        "box.example:80:80",
      ])
        expect([none, judged(none)?.code]).toEqual([none, "bad_request"]);
    }
  });
});
