import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { compiled } from "../support/compiled.ts"
import { runToEnd } from "../support/runToEnd.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const pagesBelow = (folder: string): ReadonlyArray<string> =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".md"))
        .map((name) => join(folder, name))
    : []

const pages = [
  "README.md",
  "README.ko.md",
  "SECURITY.md",
  "CHANGELOG.md",
  ...["docs", "docker", "deploy"].flatMap(pagesBelow)
]

const read = (page: string) => readFileSync(join(root, page), "utf8")

/** The name that a heading is linked by. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[`*_[\]()]/g, "")
    .replace(/[^\p{L}\p{N}\s-]/gu, "")
    .trim()
    .replace(/\s/g, "-")

const anchorsOf = (page: string): ReadonlyArray<string> =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading))

/** Links of a page that lead to a place in the project, as paths from its root, with the heading they name. */
const linksOf = (page: string) =>
  [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor] = target.split("#")
      return { page, path: path === "" ? page : relative(root, join(root, dirname(page), path)), anchor }
    })

const nested = new Set(["alert", "backup"])

interface Mention {
  readonly page: string
  readonly text: string
  readonly command: string
  readonly flags: ReadonlyArray<string>
}

/** Behind `-u` it is the user. */
const invocation = /(?<!-u )(?:observer|node dist\/cli\.js)((?: +(?!\\?[|&;#>])[^\s|&;#>]+)+)/g

const mentionOf = (page: string, text: string, rest: string): ReadonlyArray<Mention> => {
  const words = rest.trim().split(/ +/)
  const [first = "", second = ""] = words
  if (!/^(?:--)?[a-z][a-z-]+$/.test(first)) return []
  const isNested = nested.has(first) && /^[a-z]+$/.test(second)
  const command = first.startsWith("--") ? "" : isNested ? `${first} ${second}` : first
  const flags = words.flatMap((word) => /^\[?(--[a-z][a-z-]*)/.exec(word)?.[1] ?? [])
  return [{ page, text: text.trim(), command, flags }]
}

/** Every invocation of the program: a span of code that begins with it, and every line of a shell's block. */
const mentionsOf = (page: string): ReadonlyArray<Mention> => {
  const text = read(page)
  const blocks = [...text.matchAll(/```(?:sh|bash)\n([\s\S]*?)```/g)].map(([, block = ""]) => block)
  const spans = [...text.replace(/```[\s\S]*?```/g, "").matchAll(/`((?:observer|node dist\/cli\.js) [^`\n]+)`/g)]
  const lines = blocks.flatMap((block) => block.split("\n")).filter((line) => !/^\s*#/.test(line))
  return [...lines.map((line) => line.replace(/ #.*$/, "")), ...spans.map(([, span = ""]) => span)].flatMap((code) =>
    [...code.matchAll(invocation)].flatMap(([said, rest = ""]) => mentionOf(page, said, rest))
  )
}

const mentions = pages.flatMap(mentionsOf)

describe("the documents", () => {
  it("link to nothing that a release has not", () => {
    const packed = /^for part in (.+); do$/m.exec(read("deploy/release.sh"))?.[1]?.split(" ") ?? []
    assert.includeMembers(packed, ["docs", "deploy"])
    const absent = pages.flatMap(linksOf).filter(({ path }) => !packed.includes(path.split("/")[0] ?? ""))
    assert.deepStrictEqual(absent, [])
  })

  it("link to what there is", () => {
    const links = pages.flatMap(linksOf)
    assert.isAbove(links.length, 60)
    const broken = links.filter(({ anchor, page, path }) => {
      const full = join(root, path)
      if (!existsSync(full)) return true
      if (anchor === undefined || statSync(full).isDirectory()) return false
      return !anchorsOf(path === "" ? page : path).includes(anchor)
    })
    assert.deepStrictEqual(
      broken.map(({ anchor, page, path }) => `${page}: ${path}${anchor === undefined ? "" : `#${anchor}`}`),
      []
    )
  })

  it.live(
    "name commands and flags that the program has",
    () =>
      Effect.gen(function* () {
        const cli = join(yield* compiled(["src/cli.ts"]), "src", "cli.js")
        const help = Effect.fnUntraced(function* (command: string) {
          const words = command === "" ? [] : command.split(" ")
          return (yield* runToEnd(cli, [...words, "--help"], {})).stdout
        })
        const program = yield* help("")
        const has = (command: string) => new RegExp(`^ {2}${command}\\b`, "m").test(program)
        assert.isTrue(has("verify"), program)
        const commands = [...new Set(mentions.map(({ command }) => command))]
        assert.includeMembers(commands, [
          "verify",
          "alert test",
          "backup",
          "backup drill",
          "restore",
          "doctor",
          "status",
          "migrate"
        ])
        for (const command of commands.filter((each) => each !== "")) {
          const where = mentions.find((each) => each.command === command)
          const [first = "", second] = command.split(" ")
          assert.isTrue(has(first), `${where?.page} names "${where?.text}"`)
          if (second !== undefined) assert.match(yield* help(first), new RegExp(`^ {2}${second}\\b`, "m"))
        }
        const texts = new Map<string, string>()
        for (const { command, flags, page, text } of mentions) {
          if (flags.length === 0) continue
          const told = texts.get(command) ?? (yield* help(command))
          texts.set(command, told)
          for (const flag of flags) assert.match(told, new RegExp(`${flag}(?![a-z-])`), `${page}: ${text}`)
        }
      }),
    120_000
  )
})
