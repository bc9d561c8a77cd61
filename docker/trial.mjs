// The image on trial where there is no container engine: the steps of the Dockerfile in a scratch folder, with this
// machine's Node, and the result run as a container is: a root that is read-only, its own processes, the image's user.
//   node docker/trial.mjs
// The distribution's packages are not installed by it; what the image writes is in its ENV, USER and folders.
import { spawn, spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

/** The Dockerfile as instructions, continued lines joined. */
const instructions = readFileSync(join(root, "docker/Dockerfile"), "utf8")
  .split("\n")
  .filter((line) => !line.startsWith("#"))
  .join("\n")
  .replaceAll(/\\\n/g, " ")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => ({ word: line.split(" ", 1)[0], rest: line.slice(line.indexOf(" ") + 1).trim() }))

const fail = (words) => {
  throw new Error(words)
}

/** What .dockerignore lets into the context: it excludes all and names what is wanted. */
const wanted = readFileSync(join(root, ".dockerignore"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("!"))
  .map((line) => line.slice(1))
const inContext = (path) =>
  wanted.some((pattern) => path === pattern || path.startsWith(`${pattern}/`) || globbed(path, pattern))
const globbed = (path, pattern) => new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`).test(path)

const run = (command, cwd) => {
  const env = { ...process.env, npm_config_loglevel: "error", npm_config_prefer_offline: "true" }
  const { status } = spawnSync("sh", ["-c", command], { cwd, env, stdio: ["ignore", "ignore", "inherit"] })
  if (status !== 0) fail(`RUN ${command} ended with ${status}`)
}

/** Carries the stages out; gives the last one's folder and what it says of how to run it. */
const build = (scratch) => {
  const stages = new Map()
  const image = { env: {}, folder: "", user: 0, healthcheck: [], command: [], entrypoint: [] }
  let place = ""
  let stage = 0
  for (const { rest, word } of instructions) {
    const at = (path) => (path.startsWith("/") ? join(image.folder, path) : join(image.folder, place, path))
    if (word === "FROM") {
      stage++
      image.folder = join(scratch, `stage-${stage}`)
      place = "/"
      const name = / AS (\S+)$/.exec(rest)?.[1]
      if (name !== undefined) stages.set(name, image.folder)
    } else if (word === "WORKDIR") {
      place = rest
      mkdirSync(at(rest), { recursive: true })
    } else if (word === "COPY") {
      const parts = rest.split(/\s+/)
      const flags = parts.filter((part) => part.startsWith("--"))
      const paths = parts.filter((part) => !part.startsWith("--"))
      const from = flags.find((flag) => flag.startsWith("--from="))?.slice(7)
      const mode = flags.find((flag) => flag.startsWith("--chmod="))?.slice(8)
      const target = paths.pop()
      for (const path of paths) {
        if (from === undefined && !inContext(path)) fail(`COPY ${path}: .dockerignore keeps it out`)
        const source = from === undefined ? join(root, path) : join(stages.get(from), path)
        const to = target.endsWith("/") ? join(at(target), basename(path)) : at(target)
        // A stage that is done with is not copied from, but taken from: the same, and sooner.
        if (from !== undefined) renameSync(source, to)
        else cpSync(source, to, { recursive: true })
        if (mode !== undefined) chmodSync(to, Number.parseInt(mode, 8))
      }
    } else if (word === "RUN" && rest.includes("apt-get")) {
      // Of these only the folders are made: each `install -d -o … -m … folder…`.
      for (const [, owner, group, folders] of rest.matchAll(/install -d -o (\d+) -g (\d+) -m \d+ ([^&]+)/g)) {
        for (const folder of folders.trim().split(" ")) {
          mkdirSync(at(folder), { recursive: true })
          chownSync(at(folder), Number(owner), Number(group))
        }
      }
    } else if (word === "RUN") run(rest, at(place))
    else if (word === "ENV") {
      for (const pair of rest.split(/\s+/)) image.env[pair.split("=", 1)[0]] = pair.slice(pair.indexOf("=") + 1)
    } else if (word === "USER") image.user = rest
    else if (word === "HEALTHCHECK") image.healthcheck = JSON.parse(rest.slice(rest.indexOf("[")))
    else if (word === "ENTRYPOINT") image.entrypoint = JSON.parse(rest)
    else if (word === "CMD") image.command = JSON.parse(rest)
    else if (!["ARG", "LABEL", "EXPOSE", "STOPSIGNAL", "VOLUME"].includes(word)) fail(`${word} is new to this trial`)
  }
  return image
}

const has = (program) => spawnSync("which", [program], { stdio: "ignore" }).status === 0

/** The image's folder as a root of its own, read-only but for its three folders and /tmp. */
const container = (scratch, image, env) => {
  const inside = join(scratch, "root")
  const writable = ["OBSERVER_DATA_DIR", "OBSERVER_LOG_DIR", "OBSERVER_STATE_DIR"].map((name) => image.env[name])
  const entry = has("tini") ? image.entrypoint.map((word) => (word.endsWith("/tini") ? "tini" : word)) : []
  const script = `
set -e
R=${inside}
mkdir -p $R/usr $R/etc $R/proc $R/dev $R/tmp $R/app
mount --bind $R $R
for name in bin lib lib64 sbin; do [ -e $R/$name ] || ln -sfn usr/$name $R/$name; done
for name in usr etc; do mount --bind /$name $R/$name; mount -o remount,bind,ro $R/$name; done
mount --rbind /dev $R/dev
mount -t proc proc $R/proc
mount -t tmpfs -o mode=1777 tmpfs $R/tmp
mount --bind ${image.folder}/app $R/app
mount -o remount,bind,ro $R/app
for folder in ${writable.join(" ")}; do mount --bind ${image.folder}$folder $R$folder; mount -o remount,bind,rw $R$folder; done
mount -o remount,bind,ro $R
exec chroot --userspec=${image.user} --groups= $R ${[...entry, ...image.command].join(" ")}
`
  return spawn("unshare", ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script], {
    env: { PATH: process.env.PATH, ...image.env, ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
}

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

/** The first process of the container, by the number that it has out here. */
const firstOf = ({ pid }) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0])

/** Runs a command in the container. The folder it starts in is one of in there: the one out here has no name inside. */
const within = (container, args, env) => {
  const entered = ["--target", String(firstOf(container)), "--mount", "--pid", "--root"]
  return spawnSync("nsenter", [...entered, "sh", "-c", 'cd /app && exec "$@"', "sh", ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8"
  })
}

/** Its first process takes all others with it; to it, a new user, the death of the one outside is no signal. */
const remove = (container) => {
  try {
    const first = firstOf(container)
    if (first > 0) process.kill(first, "SIGKILL")
  } catch {
    // It has ended by itself.
  }
  container.kill("SIGKILL")
}

const listened = (container) => {
  const heard = { text: "" }
  for (const stream of [container.stdout, container.stderr]) stream.on("data", (text) => (heard.text += text))
  return heard
}

const ended = (container) => new Promise((resolve) => container.on("exit", (code) => resolve(code)))

const until = async (what, seconds, happened) => {
  for (let tries = 0; tries < seconds * 5; tries++) {
    if (await happened()) return
    await pause(200)
  }
  fail(`${what}: not within ${seconds} s`)
}

const observes = async (scratch, image) => {
  const port = await freePort()
  const env = { OBSERVER_SYMBOLS: "top:200", OBSERVER_HTTP_PORT: String(port), OBSERVER_NODE: "trial" }
  const made = container(scratch, image, env)
  const end = ended(made)
  const heard = listened(made)
  try {
    const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.status === 200
    await until("ready", 60, () => made.exitCode !== null || ready())
    if (made.exitCode !== null) fail(`it ended with ${made.exitCode}`)
    console.log("it observes as the image's user, with a read-only root")

    const processes = within(made, ["ps", "-eo", "uid,args"], {}).stdout
    const [uid] = image.user.split(":")
    const main = processes.split("\n").find((line) => line.includes("main.js") && !line.includes("tini"))
    if (main?.trim().split(/\s+/)[0] !== uid) fail(`the main job does not run as ${uid}:\n${processes}`)
    for (const path of ["/app/x", "/app/data/x", "/x", "/usr/x"]) {
      if (within(made, ["touch", path], {}).status === 0) fail(`${path} can be written`)
    }

    const knows = within(made, [image.healthcheck[0], image.healthcheck[1], "--help"], image.env).stdout
    if (/\bstatus\b/.test(knows)) {
      const { status, stderr } = within(made, image.healthcheck, { ...image.env, ...env })
      if (status !== 0) fail(`the health check ended with ${status}: ${stderr}`)
      console.log("its health check says that it is well")
    } else console.log("skipped: the health check, for this program has no `status`")

    process.kill(firstOf(made), "SIGTERM")
    const code = await Promise.race([end, pause(20_000)])
    if (code !== 0) fail(code === undefined ? "still there 20 s after SIGTERM" : `SIGTERM ended it with ${code}`)
    const files = readdirSync(join(image.folder, image.env.OBSERVER_DATA_DIR), { recursive: true })
    if (!files.some((file) => /trial-\d+\.jsonl$/.test(file)) || files.some((file) => file.endsWith(".open"))) {
      fail(`its journal is not sealed: ${files.join(" ")}`)
    }
    console.log("SIGTERM drains it: the journal is sealed, the exit code 0")
  } catch (error) {
    console.error(heard.text.split("\n").slice(-30).join("\n"))
    throw error
  } finally {
    remove(made)
  }
}

/** Ended by what no restart mends, it stays, says so once, and ends when it is stopped. */
const stays = async (scratch, image) => {
  const made = container(scratch, image, { OBSERVER_SHARDS: "0" })
  const end = ended(made)
  const heard = listened(made)
  try {
    await until("its last line", 30, () => made.exitCode !== null || heard.text.includes("ended with 64"))
    if (made.exitCode !== null) fail(`wrong settings ended the container (${made.exitCode}):\n${heard.text}`)
    if (!heard.text.includes("OBSERVER_SHARDS")) fail(`it does not name the wrong setting:\n${heard.text}`)
    process.kill(firstOf(made), "SIGTERM")
    const code = await Promise.race([end, pause(10_000)])
    if (code !== 64) fail(`stopped, it ended with ${code} and not 64`)
    console.log("wrong settings leave it standing, and are its exit code when it is stopped")
  } finally {
    remove(made)
  }
}

const missing = ["unshare", "nsenter", "chroot"].filter((program) => !has(program))
const why =
  process.platform !== "linux" || process.getuid() !== 0
    ? "only root of a Linux machine can make it a root of its own"
    : missing.length > 0
      ? `no ${missing.join(", no ")}`
      : spawnSync("unshare", ["--mount", "--pid", "--fork", "true"]).status !== 0 && "no namespaces are to be had here"
if (why) {
  console.log(`skipped: the image on trial (${why})`)
  process.exit(0)
}

const scratch = mkdtempSync(join(tmpdir(), "observer-image-"))
// The image's user must reach the folder.
chmodSync(scratch, 0o755)
try {
  const image = build(scratch)
  console.log("the steps of docker/Dockerfile went through")
  await observes(scratch, image)
  await stays(scratch, image)
} catch (error) {
  console.error(`the image on trial: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
