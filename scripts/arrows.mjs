// Arrows between the rooms run one way. This table is the whole law; see "The house" in docs/architecture.md.
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"

const middle = ["domain", "calendar", "actor", "kis", "journal"]
const upper = [...middle, "feed", "plan", "shard", "sql"]

/** What each room under `src/` may import, besides itself. Files directly in `src/` are programs and may import all. */
export const allowed = {
  domain: [],
  calendar: ["domain"],
  actor: [],
  kis: ["domain", "calendar", "actor"],
  journal: ["domain", "calendar", "actor"],
  feed: middle,
  plan: middle,
  shard: middle,
  sql: middle,
  ops: upper,
  http: [...upper, "ops"],
  simulator: ["domain", "calendar"]
}

const imported = /(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g

/** The forbidden imports below `root`, one sentence each. */
export const violations = (root) => {
  const found = []
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue
    const file = join(entry.parentPath, entry.name)
    const room = roomOf(root, file)
    if (room === undefined) continue
    const may = allowed[room]
    if (may === undefined) {
      found.push(`${relative(root, file)}: the room "${room}" is not in the table of scripts/arrows.mjs`)
      continue
    }
    for (const [, target] of readFileSync(file, "utf8").matchAll(imported)) {
      const other = roomOf(root, resolve(dirname(file), target)) ?? "a program"
      if (other !== room && !may.includes(other)) {
        found.push(`${relative(root, file)}: ${room} must not import ${other} (${target})`)
      }
    }
  }
  return found
}

const roomOf = (root, file) => {
  const [first, ...rest] = relative(root, file).split(sep)
  return rest.length === 0 ? undefined : first
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = violations(fileURLToPath(new URL("../src", import.meta.url)))
  for (const line of found) console.error(line)
  if (found.length > 0) process.exit(1)
  console.log("arrows: every import runs the right way")
}
