/** Rows below a header, in columns that are as wide as their widest cell, as Kafka's own tools print them. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] as number))
          .join(' ')
          .trimEnd()}\n`,
    )
    .join('')
}
