/** The page of the torture tests: what was sent, what may be answered, what was. */

const introduction = `# Torture tests

Malformed and odd messages, sent to a real server over loopback by \`test/torture\`, which also writes
this page (\`npx vitest run test/torture -u\`) and fails when it is not current.

After every case the server answers an OPTIONS, takes a good MESSAGE for the same user and tells by
message waiting how many messages there are: nothing is stored by half. No case stops an account,
and errors of the peer are one line in the log, with a code of [errors.md](errors.md).

- \`ok\` is any final answer of a server that has understood: 2xx, or what its policy says (403, 404,
  480, 488), or 481 where To has a tag of a dialog it does not know.
- \`none\` is silence: the server answers what is sent afterwards.
- 403 inside a retrieval stands for 200 at the endpoint: a retrieval takes no messages.
- \`lives\`: nothing is demanded of the answer.
- \`closed\` is a connection that the server has closed.
- In brackets: the octets are no message of their own on a stream, so nothing is demanded there but
  that the server lives.
`;

export function tortureSection(
  title: string,
  text: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return `## ${title}\n\n${text}\n\n${table(heads, rows)}`;
}

export function torturePage(sections: readonly string[]): string {
  return `${introduction}\n${sections.join('\n')}`;
}

/** Columns padded, as the formatter wants them. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = [heads, ...rows].map((row) =>
    row.map((cell) => cell.replaceAll(/[|*]|_(?=_)|(?<=_)_/g, '\\$&')),
  );
  const widths = heads.map((_, column) =>
    Math.max(3, ...escaped.map((row) => row[column]!.length)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(escaped[0]!), rule, ...escaped.slice(1).map(line), ''].join('\n');
}
