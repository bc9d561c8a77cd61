import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import type { ManifestLine } from "../../../src/journal/Manifest.ts"
import type { Problem } from "../../../src/journal/Verify.ts"

/** A sealed file of an archive, and its day. */
export interface Sealed {
  readonly day: string
  readonly line: ManifestLine
}

export interface Damage {
  readonly name: string
  /** Spoils one file, or what is said of it; `random` in [0, 1). Gives the file that has to be named. */
  readonly apply: (dataDir: string, sealed: Sealed, random: () => number) => string
  readonly kinds: ReadonlyArray<Problem["kind"]>
  /** Whether it can be done to this file. */
  readonly fits?: (sealed: Sealed) => boolean
}

export const pathOf = ({ day, line }: Sealed) => `${day}/${(line.gzip ?? line).file}`

const edit = (path: string, change: (text: string) => string) => writeFileSync(path, change(readFileSync(path, "utf8")))

const editLine = (
  dataDir: string,
  { day, line }: Sealed,
  change: (line: ManifestLine) => object | undefined
): string => {
  const file = `${day}/MANIFEST.jsonl`
  edit(join(dataDir, file), (text) =>
    text
      .split("\n")
      .filter((each) => each !== "")
      .flatMap((each) => {
        const known = JSON.parse(each) as ManifestLine
        const changed = known.file === line.file ? change(known) : known
        return changed === undefined ? [] : [`${JSON.stringify(changed)}\n`]
      })
      .join("")
  )
  return file
}

const otherDigit = (text: string, random: () => number): string => {
  const at = Math.floor(random() * text.length)
  return text.slice(0, at) + (text[at] === "0" ? "1" : "0") + text.slice(at + 1)
}

/** Another value of the same type. `sealedAt` is left out: nothing but a certificate knows it. */
const fieldChanges: Readonly<Record<string, (line: ManifestLine, random: () => number) => Partial<ManifestLine>>> = {
  file: ({ file }) => ({ file: file.replace(/(\d)\.jsonl$/, "$1x.jsonl") }),
  node: ({ node }) => ({ node: `${node}x` }),
  firstSeq: ({ firstSeq }) => ({ firstSeq: firstSeq + 1 }),
  lastSeq: ({ lastSeq }) => ({ lastSeq: lastSeq + 1 }),
  lines: ({ lines }) => ({ lines: lines + 1 }),
  bytes: ({ bytes }) => ({ bytes: bytes - 1 }),
  sha256: ({ sha256 }, random) => ({ sha256: otherDigit(sha256, random) }),
  firstReceivedAt: () => ({ firstReceivedAt: "2026-11-24T00:00:00.001Z" }),
  lastReceivedAt: () => ({ lastReceivedAt: "2026-11-24T00:00:00.002Z" })
}

export const damages: ReadonlyArray<Damage> = [
  {
    name: "a flipped bit",
    kinds: ["damagedFile"],
    apply: (dataDir, sealed, random) => {
      const path = join(dataDir, pathOf(sealed))
      const bytes = readFileSync(path)
      const at = Math.floor(random() * bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))
      writeFileSync(path, bytes)
      return pathOf(sealed)
    }
  },
  {
    name: "a file cut short",
    kinds: ["damagedFile"],
    apply: (dataDir, sealed, random) => {
      const path = join(dataDir, pathOf(sealed))
      truncateSync(path, Math.floor(random() * readFileSync(path).length))
      return pathOf(sealed)
    }
  },
  {
    name: "a missing file",
    kinds: ["missingFile"],
    apply: (dataDir, sealed) => {
      rmSync(join(dataDir, pathOf(sealed)))
      return pathOf(sealed)
    }
  },
  {
    name: "a file copied into another folder",
    kinds: ["doubledFile"],
    apply: (dataDir, sealed, random) => {
      const folders = [`${sealed.day}/23`, "2026/11/23/10", "copies", sealed.day]
      const folder = folders[Math.floor(random() * folders.length)] ?? ""
      const copy = `${folder}/${pathOf(sealed).split("/").at(-1)}`
      mkdirSync(join(dataDir, folder), { recursive: true })
      copyFileSync(join(dataDir, pathOf(sealed)), join(dataDir, copy))
      return copy
    }
  },
  {
    name: "a file copied under another name",
    kinds: ["doubledFile"],
    apply: (dataDir, sealed, random) => {
      const names = ["copy", "seoul-2-000000000001", "seoul-1-999999999999"]
      const end = sealed.line.gzip === undefined ? ".jsonl" : ".jsonl.gz"
      const copy = `${dirname(pathOf(sealed))}/${names[Math.floor(random() * names.length)]}${end}`
      copyFileSync(join(dataDir, pathOf(sealed)), join(dataDir, copy))
      return copy
    }
  },
  {
    name: "a file moved away",
    kinds: ["unlistedFile"],
    apply: (dataDir, sealed) => {
      const moved = `${sealed.day}/${pathOf(sealed).split("/").at(-1)}`
      renameSync(join(dataDir, pathOf(sealed)), join(dataDir, moved))
      return moved
    }
  },
  ...Object.entries(fieldChanges)
    .map(([field, change]): Damage => ({
      name: `another ${field} in the manifest`,
      kinds: ["manifest", "missingFile"],
      apply: (dataDir, sealed, random) => {
        editLine(dataDir, sealed, (line) => ({ ...line, ...change(line, random) }))
        return field === "file" && sealed.line.gzip === undefined
          ? `${sealed.day}/${fieldChanges["file"]?.(sealed.line, random).file}`
          : `${sealed.day}/MANIFEST.jsonl`
      }
    }))
    .map((damage) =>
      damage.name.includes("another file ")
        ? { ...damage, fits: ({ line }: Sealed) => line.gzip === undefined }
        : damage
    ),
  {
    name: "another gzip in the manifest",
    kinds: ["manifest"],
    fits: ({ line }) => line.gzip !== undefined,
    apply: (dataDir, sealed, random) =>
      editLine(dataDir, sealed, ({ gzip, ...line }) => ({
        ...line,
        gzip:
          random() < 0.5
            ? { ...gzip, bytes: (gzip?.bytes ?? 0) + 1 }
            : { ...gzip, sha256: otherDigit(gzip?.sha256 ?? "", random) }
      }))
  },
  {
    name: "a line gone from the manifest",
    kinds: ["manifest"],
    apply: (dataDir, sealed) => editLine(dataDir, sealed, () => undefined)
  },
  {
    name: "a spoilt line of the manifest",
    kinds: ["manifest"],
    apply: (dataDir, { day }) => {
      const file = `${day}/MANIFEST.jsonl`
      edit(join(dataDir, file), (text) => text.replace('{"file"', '{"fil'))
      return file
    }
  },
  {
    name: "another checksum",
    kinds: ["checksums"],
    apply: (dataDir, { day, line }, random) => {
      const file = `${day}/SHA256SUMS`
      const { file: name, sha256 } = line.gzip ?? line
      edit(join(dataDir, file), (text) =>
        text.replace(`${sha256}  ${name}\n`, `${otherDigit(sha256, random)}  ${name}\n`)
      )
      return file
    }
  },
  {
    name: "a checksum gone",
    kinds: ["checksums"],
    apply: (dataDir, { day, line }) => {
      const file = `${day}/SHA256SUMS`
      const { file: name, sha256 } = line.gzip ?? line
      edit(join(dataDir, file), (text) => text.replace(`${sha256}  ${name}\n`, ""))
      return file
    }
  }
]
