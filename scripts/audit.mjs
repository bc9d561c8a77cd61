// `npm run audit`: known holes in the packages of the program. A registry without an audit, and a machine without a network,
// are said and are no failure: nothing is known then, neither good nor bad.
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

/**
 * What an `npm audit --json` means: the holes, one sentence each, or why there is no answer. npm's own exit code does not
 * tell the two apart.
 */
export const judgeAudit = (stdout, stderr) => {
  let said
  try {
    said = JSON.parse(stdout)
  } catch {
    said = {}
  }
  if (said.vulnerabilities === undefined) {
    const line = /(?:npm warn audit|npm error)[^\n]*/.exec(stderr)?.[0] ?? "npm said nothing that can be read"
    return { skipped: said.message ?? said.error?.summary ?? line, holes: [] }
  }
  const holes = Object.values(said.vulnerabilities).map(
    ({ fixAvailable, name, range, severity }) =>
      `${name} ${range}: ${severity}${fixAvailable === false ? ", no mended version yet" : ""}`
  )
  return { skipped: undefined, holes }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const npm = process.env.npm_execpath
  const [command, before] = npm === undefined ? ["npm", []] : [process.execPath, [npm]]
  const args = [...before, "audit", "--json", "--omit", "dev"]
  const cwd = fileURLToPath(new URL("..", import.meta.url))
  const { stderr = "", stdout = "" } = spawnSync(command, args, { cwd, encoding: "utf8", timeout: 60_000 })
  const { holes, skipped } = judgeAudit(stdout ?? "", stderr ?? "")
  for (const hole of holes) console.error(hole)
  if (skipped !== undefined) console.log(`skipped: the registry gives no audit (${skipped.trim()})`)
  else if (holes.length === 0) console.log("npm audit: no known hole in the packages of the program")
  if (holes.length > 0) process.exit(1)
}
