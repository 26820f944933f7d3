/**
 * The settings in a file of Java properties, as Kafka's `server.properties`: a name and a value a line, divided by `=`, `:` or
 * blanks; lines that begin with `#` or `!` are comments, and a line that ends with `\` goes on in the next one.
 */
export function readProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  const lines = text.split(/\r\n|\r|\n/)
  for (let i = 0; i < lines.length; i++) {
    let line = (lines[i] as string).trimStart()
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue
    while (isContinued(line) && i + 1 < lines.length) line = line.slice(0, -1) + (lines[++i] as string).trimStart()
    const [name, value] = divide(line)
    properties.set(plain(name), plain(value))
  }
  return properties
}

/** Whether the line ends with a backslash that is not itself escaped. */
function isContinued(line: string): boolean {
  return (/\\*$/.exec(line)?.[0].length ?? 0) % 2 === 1
}

function divide(line: string): [name: string, value: string] {
  const name = /^(?:\\.|[^\\=:\s])*/.exec(line)?.[0] ?? ''
  return [name, line.slice(name.length).replace(/^\s*[=:]?\s*/, '')]
}

const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function plain(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex: string | undefined, one: string | undefined) =>
    hex === undefined ? (escapes[one ?? ''] ?? one ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
