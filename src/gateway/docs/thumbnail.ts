// A picture for a model where its tools want one.

/** Model files have no pictures, and fal's schema wants one: the title on a ground. */
export function thumbnail(title: string): string {
  const text = title.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const hue = Number(Bun.hash(title) % 360n);
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="512" height="288"><rect width="100%" height="100%" fill="hsl(${hue},40%,35%)"/>` +
    `<text x="50%" y="50%" fill="#fff" font-family="sans-serif" font-size="32" text-anchor="middle" dominant-baseline="middle">${text}</text></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg.toWellFormed())}`;
}
