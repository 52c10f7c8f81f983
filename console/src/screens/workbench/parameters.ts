// Parameters of a statement: $1 or :name, outside of texts, names and comments. Names become numbers before the server sees them.

export interface Parameters {
  /** In order of $1, $2 ...: "1", "2"; of :name the name. */
  names: string[];
  /** The statement with numbers. */
  sql: string;
  /** The place in the text that was given, of a place in `sql`. */
  place: (at: number) => number;
}

const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|::|\$(\d+)|:([A-Za-z_]\w*)/g;

export function read_parameters(text: string): Parameters {
  const matches = [...text.matchAll(token)];
  const highest = Math.min(100, Math.max(0, ...matches.map((match) => Number(match[2] ?? 0))));
  // Names take the numbers behind those that are written.
  const names = Array.from({ length: highest }, (_, i) => String(i + 1));
  const moves: { from: number; shift: number }[] = []; // places after `from` in the new text lie `shift` further in the old
  let sql = "";
  let done = 0;
  for (const match of matches) {
    const [all, , , name] = match;
    if (name === undefined) continue;
    let at = names.indexOf(name);
    if (at < 0) at = names.push(name) - 1;
    sql += text.slice(done, match.index) + `$${at + 1}`;
    done = match.index + all.length;
    moves.push({ from: sql.length, shift: done - sql.length });
  }
  sql += text.slice(done);
  const place = (at: number): number => {
    let shift = 0;
    for (const move of moves) if (at >= move.from) shift = move.shift;
    return Math.min(text.length, at + shift);
  };
  return { names, sql, place };
}

/** The server counts characters from 1; JavaScript counts UTF-16 units from 0. */
export function offset_of(text: string, position: number): number {
  let left = position - 1;
  let at = 0;
  while (left > 0 && at < text.length) {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    left--;
  }
  return at;
}
