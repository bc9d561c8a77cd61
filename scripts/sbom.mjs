// `npm run sbom`: what the program is made of, from the lockfile, as CycloneDX in sbom.cdx.json. The same lockfile gives the
// same file, byte for byte: what npm adds of the moment, the folder and itself is left out.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/** Licences that ask for no more than their own text and the authors' names. */
export const allowedLicences = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "ISC",
  "MIT",
  "MIT-0",
  "PostgreSQL",
  "Unlicense"
]

const licencesOf = ({ licenses = [] }) =>
  licenses.map(({ expression, license }) => expression ?? license?.id ?? license?.name ?? "a licence without a name")

/** Components whose licence is none of those, or not said, one sentence each. */
export const licenceProblems = ({ components }) =>
  components.flatMap((component) => {
    const name = `${component.name}@${component.version}`
    const licences = licencesOf(component)
    if (licences.length === 0) return [`${name} does not say its licence`]
    return licences
      .filter((licence) => !allowedLicences.includes(licence))
      .map((licence) => `${name} has the licence ${licence}, which is none of ${allowedLicences.join(", ")}`)
  })

/** A serial number that is of the content alone, in the form of a UUID. */
const serialOf = (content) => {
  const hex = createHash("sha256").update(content).digest("hex")
  const variant = "89ab"[parseInt(hex[16], 16) % 4]
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** What npm says, without the moment, the folder and the npm it was said in. */
export const steady = (said, { name, version }) => {
  const { component, lifecycles } = said.metadata
  const bom = {
    ...said,
    serialNumber: "",
    metadata: { lifecycles, component: { ...component, type: "application", name, version } }
  }
  return { ...bom, serialNumber: serialOf(JSON.stringify(bom)) }
}

/** What is not for development alone. npm's own `--omit dev` also leaves out what both the program and its tools ask for. */
export const withoutTools = (bom, { packages }) => {
  const own = new Set(
    Object.entries(packages).flatMap(([path, { dev, version }]) =>
      path === "" || dev ? [] : [`${path.replace(/^.*node_modules\//, "")}@${version}`]
    )
  )
  const isOwn = (ref) => own.has(ref) || ref === bom.metadata.component["bom-ref"]
  return {
    ...bom,
    components: bom.components
      .filter(({ name, version }) => own.has(`${name}@${version}`))
      .map((each) => ({ ...each, properties: each.properties.filter(({ name }) => !name.endsWith(":development")) })),
    dependencies: bom.dependencies
      .filter(({ ref }) => isOwn(ref))
      .map((each) => ({ ...each, dependsOn: (each.dependsOn ?? []).filter(isOwn) }))
  }
}

/** Asks npm for all that is in the lockfile of a folder, and keeps what is of the program. */
export const makeSbom = (root) => {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]
  const npm = process.env.npm_execpath
  const [command, before] = npm === undefined ? ["npm", []] : [process.execPath, [npm]]
  const { error, status, stderr, stdout } = spawnSync(command, [...before, ...args], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64_000_000
  })
  if (status !== 0) throw new Error(`npm sbom failed, which npm has since version 10: ${error?.message ?? stderr}`)
  const read = (name) => JSON.parse(readFileSync(`${root}/${name}`, "utf8"))
  return steady(withoutTools(JSON.parse(stdout), read("package-lock.json")), read("package.json"))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = fileURLToPath(new URL("..", import.meta.url))
  const bom = makeSbom(root)
  const problems = licenceProblems(bom)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exit(1)
  writeFileSync(`${root}/sbom.cdx.json`, `${JSON.stringify(bom, null, 2)}\n`)
  console.log(`sbom.cdx.json: ${bom.components.length} components, all with allowed licences`)
}
