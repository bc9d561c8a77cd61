// Installs the packages of package-lock.json when those in node_modules are not they.
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { SetupFailure } from "./failure.mjs"

const offline =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENETDOWN|EIDLETIMEOUT|ERR_SOCKET_TIMEOUT)\b/

/** Whether the packages are there: by a stamp of ours, else by what npm itself noted in node_modules. */
export const isInstalled = (root) => {
  const stamp = stampOf(root)
  if (readOr(stampFile(root), "") === stamp) return true
  if (!agrees(root)) return false
  // Packages installed by hand, or read from a folder that we cannot write: both are as good as ours.
  try {
    writeFileSync(stampFile(root), stamp)
  } catch {
    return true
  }
  return true
}

/** Runs `npm ci`, quietly unless it fails. */
export const install = async (root) => {
  rmSync(stampFile(root), { force: true })
  // What is pinned is tested on Node 20.19, though some packages ask for a newer one: npm's warnings about that are noise.
  const options = ["--include=dev", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"]
  const retries = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"]
  const { code, output } = await run([...npmCommand(), "ci", ...options, ...retries], root)
  if (code !== 0) {
    const found = offline.exec(output)
    if (found) {
      throw new SetupFailure(
        `the packages could not be fetched, the registry cannot be reached (${found[0]}): check the network or npm's proxy settings, then try again`
      )
    }
    throw new SetupFailure(`npm ci failed (${code}):\n${output.trim().split("\n").slice(0, 20).join("\n")}`)
  }
  writeFileSync(stampFile(root), stampOf(root))
}

const stampFile = (root) => join(root, "node_modules", ".observer-stamp")

const stampOf = (root) => {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex")
  return `${lock} node ${process.versions.node.split(".")[0]} ${process.platform}-${process.arch}\n`
}

const readOr = (path, otherwise) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return otherwise
  }
}

/** Whether every package that is not optional lies in node_modules in its locked version, as npm noted after installing. */
const agrees = (root) => {
  const noted = readOr(join(root, "node_modules", ".package-lock.json"), undefined)
  if (noted === undefined) return false
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages
  const present = JSON.parse(noted).packages
  return Object.entries(wanted).every(([path, { integrity, optional, devOptional, peer, version }]) => {
    if (path === "") return true
    const found = present[path]
    if (found === undefined) return optional === true || devOptional === true || peer === true
    return found.version === version && found.integrity === integrity && existsSync(join(root, path))
  })
}

/** npm as it started us, else the one that came with this Node, else whichever is on the path. */
const npmCommand = () => {
  const folder = dirname(process.execPath)
  const candidates = [
    process.env.npm_execpath,
    join(folder, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
    join(folder, "node_modules", "npm", "bin", "npm-cli.js")
  ]
  const script = candidates.find((path) => path && basename(path) === "npm-cli.js" && existsSync(path))
  return script === undefined ? ["npm"] : [process.execPath, script]
}

const run = ([command, ...args], cwd) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32" && command === "npm"
    })
    let output = ""
    const keep = (chunk) => {
      output = (output + chunk).slice(0, 20_000)
    }
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    child.on("error", (error) =>
      reject(new SetupFailure(`npm cannot be started (${error.message}): it comes with Node.js`))
    )
    child.on("close", (code, signal) => resolve({ code: code ?? signal, output }))
  })
