// JSON as Python writes it: with Infinity and NaN, which the standard does not have.

/** Those numbers become null. Throws SyntaxError for what is not JSON in either way. */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const standard = text.replace(PYTHON_NUMBER, "null");
    if (standard === text) throw error;
    return JSON.parse(standard);
  }
}

/** E.g. `"lambda_min_clipped": -Infinity` in a scheduler_config.json. */
const PYTHON_NUMBER = /(?<=[:[,]\s*)(?:-?Infinity|NaN)(?=\s*[,\]}])/g;
