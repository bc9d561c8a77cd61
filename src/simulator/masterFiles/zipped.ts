import { zipSync } from "fflate"

/** Made by a Unix system, readable by owner and group, as the captured zips say of themselves. */
const unix = 3
const attributes = 0o100660 * 65_536
/** Zips know no time before this day, which a market on a test clock may have. */
const firstDay = "19800101"

/** A zip of one file, dated 07:35:06 of a market date (`YYYYMMDD`), when the captured ones were made. */
export const zipped = (name: string, bytes: Uint8Array, date: string): Uint8Array => {
  const day = date < firstDay ? firstDay : date
  // Zips know no zone either: what is set here in the machine's zone is read back in it.
  const mtime = new Date(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6, 8)), 7, 35, 6)
  return zipSync({ [name]: [bytes, { mtime, os: unix, attrs: attributes, level: 6 }] })
}
