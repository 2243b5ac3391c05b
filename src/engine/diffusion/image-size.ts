// The `image_size` field: fal's presets or a width and height, made to fit what a model can draw.
import { choice, type Static, Type } from "../../core/schema.ts";

/** fal's presets (fal-protocol.md 12). */
const PRESETS = {
  square_hd: { width: 1024, height: 1024 },
  square: { width: 512, height: 512 },
  portrait_4_3: { width: 768, height: 1024 },
  portrait_16_9: { width: 576, height: 1024 },
  landscape_4_3: { width: 1024, height: 768 },
  landscape_16_9: { width: 1024, height: 576 },
} as const;

export type Size = { width: number; height: number };

const presetNames = [
  "square_hd",
  "square",
  "portrait_4_3",
  "portrait_16_9",
  "landscape_4_3",
  "landscape_16_9",
] as const;

const largestSides = Object.fromEntries(
  Object.entries(PRESETS).map(([name, { width, height }]) => [name, Math.max(width, height)]),
);

const side = (name: string) =>
  Type.Integer({ default: 512, minimum: 64, maximum: 2048, description: `${name} in pixels` });

/** A model's bounds on the field are of a side; they drop the presets that go beyond. */
const presets = choice(presetNames, { amounts: largestSides });

const sizeField = (absent: string) =>
  Type.Optional(
    Type.Union([presets, Type.Object({ width: side("Width"), height: side("Height") })], {
      description: `A preset or a width and height. Rounded to the nearest size that the model can draw. Absent: ${absent}.`,
    }),
  );

export const imageSizeField = sizeField("the size that the model was trained for");
export const redrawnSizeField = sizeField(
  "the given picture's, made smaller where its area is more than the model was trained for",
);

export const editedSizeField = sizeField("the first picture's, made smaller where it is larger than the model draws");

export type ImageSize = Static<typeof imageSizeField>;

type Drawable = { native: Size; multiple: number };

/** The size to draw: what was asked for, else `native`; each side the nearest positive multiple of `multiple`. */
export function sizeToDraw(asked: ImageSize | undefined, { native, multiple }: Drawable): Size {
  const { width, height } = typeof asked === "string" ? PRESETS[asked] : (asked ?? native);
  const fit = (pixels: number) => Math.max(1, Math.round(pixels / multiple)) * multiple;
  return { width: fit(width), height: fit(height) };
}

type Redrawable = Drawable & {
  picture: Size;
  /** The picture's proportions come before a size that was asked for: it is drawn as large as fits into that. */
  keepsProportions?: boolean;
};

/** Times a side of the native square: one of four times keeps the area to a ratio of 16 to 1. */
const LONGEST_SIDE = 4;

/**
 * The size at which to redraw a picture: what was asked for, else its own, with at most the area of `native`, and no side so long
 * that the other, which is no less than a multiple, makes the area more.
 */
export function sizeToRedraw(
  asked: ImageSize | undefined,
  { picture, native, multiple, keepsProportions = false }: Redrawable,
): Size {
  if (asked !== undefined && keepsProportions) {
    const box = sizeToDraw(asked, { native, multiple: 1 });
    const scale = Math.min(box.width / picture.width, box.height / picture.height);
    return sizeToDraw({ width: picture.width * scale, height: picture.height * scale }, { native, multiple });
  }
  const area = native.width * native.height;
  const shrink = Math.min(
    1,
    Math.sqrt(area / (picture.width * picture.height)),
    (LONGEST_SIDE * Math.sqrt(area)) / Math.max(picture.width, picture.height),
  );
  const own = { width: picture.width * shrink, height: picture.height * shrink };
  return sizeToDraw(asked, { native: own, multiple });
}
