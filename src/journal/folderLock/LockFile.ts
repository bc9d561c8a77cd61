import { Data } from "effect"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { systemCode } from "../../domain/systemCode.ts"
import { thisBoot, thisNamespace } from "../BootId.ts"
import { startedAt } from "../ProcessLife.ts"

/** Lost a race to another starter; looking again tells who won. */
export class Raced extends Data.TaggedError("Raced")<{}> {}

/** Who wrote a lock. What an older release or another system does not tell is absent. */
export interface Holder {
  readonly pid: number
  readonly started: string | undefined
  readonly purpose: string
  /** Another one for each process that ever ran. */
  readonly owner: string | undefined
  /** The machine's run and the pid namespace in which the pid means something. */
  readonly boot: string | undefined
  readonly namespace: string | undefined
}

const prefix = ".lock."
const thisProcess = randomUUID()

export const isLockName = (name: string): boolean => name.startsWith(prefix)
export const lockPath = (folder: string, generation: number): string => join(folder, `${prefix}${generation}`)

/** The number of the newest lock in a folder; 0 when there is none. */
export const newestLock = async (folder: string): Promise<number> => {
  const numbers = (await fs.readdir(folder)).flatMap((name) =>
    /^\.lock\.\d+$/.test(name) ? [Number(name.slice(prefix.length))] : []
  )
  return Math.max(0, ...numbers)
}

const text = (value: unknown) => (typeof value === "string" ? value : undefined)

/** Who wrote a lock file; `undefined` for one that was given back, or that a power cut left without its content. */
export const holderOf = async (folder: string, generation: number): Promise<Holder | undefined> => {
  try {
    const { pid, purpose, ...rest } = JSON.parse(await fs.readFile(lockPath(folder, generation), "utf8"))
    const { boot, namespace, owner, started }: { readonly [key: string]: unknown } = rest
    return typeof pid === "number"
      ? {
          pid,
          purpose: String(purpose),
          started: text(started),
          owner: text(owner),
          boot: text(boot),
          namespace: text(namespace)
        }
      : undefined
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") throw new Raced()
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

/** Whether this very process wrote a lock, and not a namesake before a restart or in another container. */
export const isThisProcess = ({ owner }: Holder): boolean => owner === thisProcess

const draftPath = (folder: string) => join(folder, `${prefix}${randomUUID()}.tmp`)

/** Makes a lock of this process, which fails when there is one of that number. */
export const linkLock = async (folder: string, generation: number, purpose: string): Promise<void> => {
  const draft = draftPath(folder)
  const { pid } = process
  const mine = { pid, started: await startedAt(pid), purpose, owner: thisProcess }
  await fs.writeFile(draft, JSON.stringify({ ...mine, boot: thisBoot(), namespace: thisNamespace() }))
  try {
    await fs.link(draft, lockPath(folder, generation))
  } catch (cause) {
    if (["EEXIST", "ENOENT"].includes(systemCode(cause))) throw new Raced()
    throw cause
  } finally {
    await fs.rm(draft, { force: true })
  }
}

/** Empties a lock, which keeps its number. */
export const emptyLock = async (folder: string, generation: number): Promise<void> => {
  const draft = draftPath(folder)
  await fs.writeFile(draft, "{}")
  await fs.rename(draft, lockPath(folder, generation))
}
