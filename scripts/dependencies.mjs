// What comes from others is pinned and runs nothing at its installation; and how much of it there is.
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const exact = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/

/** Packages that may run something when they are installed; none does. */
const knownScripts = []

/** The dependencies that are not pinned to one version, one sentence each. */
export const unpinned = ({ dependencies = {}, devDependencies = {} }) =>
  Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => !exact.test(version))
    .map(
      ([name, version]) => `${name} is "${version}" in package.json; name one version, as npm install --save-exact does`
    )

/** The locked packages that would run a script of theirs at their installation, one sentence each. */
export const installScripts = ({ packages }) =>
  Object.entries(packages)
    .filter(([path, { hasInstallScript }]) => hasInstallScript && !knownScripts.includes(path))
    .map(([path]) => `${path} runs a script when it is installed; take another package, or add it to the known ones`)

/** Packages of the program itself, and of all that is needed to make it, those of other platforms not among them. */
export const countsOf = ({ packages }) => {
  const here = Object.entries(packages).filter(([path, { cpu, os }]) => path !== "" && !cpu && !os)
  return { production: here.filter(([, { dev }]) => !dev).length, all: here.length }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), "utf8"))
  const project = read("package.json")
  const lock = read("package-lock.json")
  const problems = [...unpinned(project), ...installScripts(lock)]
  for (const problem of problems) console.error(problem)
  const { all, production } = countsOf(lock)
  console.log(
    `${Object.keys(project.dependencies).length} dependencies, ${production} packages in the program, ${all} with those to make it`
  )
  if (problems.length > 0) process.exit(1)
}
