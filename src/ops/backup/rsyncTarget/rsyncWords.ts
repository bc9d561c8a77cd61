import type { Found } from "../BackupTarget.ts"

/** A name as rsync writes it, in which bytes that cannot be seen are `\#` and three octal digits. */
export const unescaped = (text: string): string => {
  if (!text.includes("\\#")) return text
  const parts = text.split(/\\#([0-7]{3})/)
  const bytes = parts.map((part, index) =>
    index % 2 === 0 ? Buffer.from(part) : Buffer.from([Number.parseInt(part, 8)])
  )
  return Buffer.concat(bytes).toString("utf8")
}

/** What `--itemize-changes`, given twice, says of files: those that are the same on both sides have a line, too. */
export const itemized = (text: string): ReadonlyMap<string, Found> => {
  const found = new Map<string, Found>()
  for (const line of text.split("\n")) {
    const [, update = "", change = "", name = ""] = /^([<>.])f(\S*) +(.*)$/.exec(line) ?? []
    if (update === "") continue
    found.set(unescaped(name), change.startsWith("+") ? "missing" : update === "." ? "same" : "damaged")
  }
  return found
}
