// The lockfile names packages and their digests, never where one machine happened to fetch them from, and names the
// packages of every platform: `npm ci` refuses a lockfile that lacks one, even on a machine that would not install it.
// npm leaves out those that its registry does not have; `--complete` enters them, by version alone.
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** The packages whose address is recorded, one sentence each. */
export const recordedAddresses = (text) =>
  Object.entries(JSON.parse(text).packages ?? {})
    .filter(([, entry]) => "resolved" in entry)
    .map(
      ([path, { resolved }]) =>
        `${path} records the address ${resolved}; npm install under this project's .npmrc leaves it out`
    )

/** The optional packages that are asked for but not entered, as a lockfile would enter them. */
export const missingPlatforms = (text) => {
  const { packages } = JSON.parse(text)
  return Object.entries(packages).flatMap(([path, { dev, optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`])
      .map(([name, version]) => [
        `node_modules/${name}`,
        { version, ...(dev && { dev }), optional: true, ...platformOf(name) }
      ])
  )
}

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const processors = ["arm", "arm64", "ia32", "loong64", "ppc64", "riscv64", "s390x", "wasm32", "x64"]

/** Such packages are named for their platform, e.g. `@oxlint/binding-linux-arm64-musl`. */
const platformOf = (name) => {
  const words = name.split("/").pop().split("-")
  const only = (key, value) => (value === undefined ? {} : { [key]: [value] })
  const library = words.some((word) => word.startsWith("musl")) ? "musl" : words.includes("gnu") ? "glibc" : undefined
  return {
    ...only(
      "cpu",
      processors.find((each) => words.includes(each))
    ),
    ...only("libc", library),
    ...only(
      "os",
      systems.find((each) => words.includes(each))
    )
  }
}

/** The lockfile with what is missing entered, in npm's order. */
export const completed = (text) => {
  const lock = JSON.parse(text)
  const entries = [...Object.entries(lock.packages), ...missingPlatforms(text)]
  const packages = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${JSON.stringify({ ...lock, packages }, null, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = new URL("../package-lock.json", import.meta.url)
  if (process.argv[2] === "--complete") writeFileSync(path, completed(readFileSync(path, "utf8")))
  const text = readFileSync(path, "utf8")
  const missing = missingPlatforms(text).map(
    ([name]) => `${name} is missing; node scripts/lockfile.mjs --complete enters it`
  )
  const found = [...recordedAddresses(text), ...missing]
  for (const line of found) console.error(`package-lock.json: ${line}`)
  if (found.length > 0) process.exit(1)
  console.log("lockfile: complete, and no address is recorded")
}
