/** Comma-separated values of a header field (RFC 3261 7.3.1). */

/** Splits outside of quotes and <>; trims; leaves out empty elements. */
export function splitList(value: string): string[] {
  const trimmed = value.trim();
  if (!trimmed.includes(',')) return trimmed === '' ? [] : [trimmed];
  const elements: string[] = [];
  let from = 0;
  let quoted = false;
  let bracketed = false;
  for (let at = 0; at <= trimmed.length; at++) {
    const code = trimmed.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = !bracketed;
    else if (code === 0x3c) bracketed = true;
    else if (code === 0x3e) bracketed = false;
    else if (code === 0x2c && !bracketed) {
      push(elements, trimmed.slice(from, at));
      from = at + 1;
    }
  }
  push(elements, trimmed.slice(from));
  return elements;
}

function push(elements: string[], text: string): void {
  const element = text.trim();
  if (element !== '') elements.push(element);
}
