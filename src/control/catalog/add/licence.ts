// What a licence's name on the Hub says about commercial use.

/** Licences of the Hub's list that allow it; some (openrail) with rules about what for. */
const COMMERCIAL =
  /^(mit|apache-2\.0|bsd.*|isc|unlicense|wtfpl|zlib|ms-pl|artistic-2\.0|cc0-1\.0|cc-by-4\.0|cc-by-sa-4\.0|.*openrail.*|gpl-.*|lgpl-.*|agpl-3\.0|mpl-2\.0|llama[\d.]*|gemma)$/;

export type Licence = { id: string; commercial: boolean };

/** Whatever is not known to allow commercial use counts as forbidding it; `isKnown` tells the two apart. */
export function licenceOf(name: string | undefined): { licence: Licence; isKnown: boolean } {
  const id = name ?? "unknown";
  const isNonCommercial = /(^|[-_])nc([-_]|$)|non-?commercial/i.test(id);
  const commercial = !isNonCommercial && COMMERCIAL.test(id);
  return { licence: { id, commercial }, isKnown: commercial || isNonCommercial };
}
