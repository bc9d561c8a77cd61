import { Deferred, Effect, Layer } from "effect"
import { relative, sep } from "node:path"
import { Disk, DiskError, type DiskFile } from "../../src/journal/Disk.ts"

interface File {
  readonly _tag: "File"
  bytes: Buffer
  /** What a power cut leaves for certain. */
  synced: Buffer
  /** What an fdatasync that failed could not write: it is held for clean, and written by none that follows. */
  lost: { readonly from: number; readonly to: number } | undefined
}

interface Folder {
  readonly _tag: "Folder"
  names: Map<string, Node>
  /** The names a power cut leaves for certain. */
  syncedNames: Map<string, Node>
}

type Node = File | Folder

export interface Call {
  /** Counted from 0 since this disk was made. */
  readonly index: number
  readonly operation: string
  readonly path: string
}

/**
 * What befalls a call: the system refuses it, or the process is killed in it and the call never returns. `done` is the
 * part of it that has happened by then; what is not a write happens whole or not at all.
 */
export type Fault =
  | { readonly _tag: "Refused"; readonly code: string; readonly done: number }
  | { readonly _tag: "Killed"; readonly done: number }

/** What a power cut leaves of the bytes that were written and not synced. */
export type Tail = (unsynced: Buffer) => Buffer

/** A call that never returns, not even to who cannot be interrupted while he puts things away: his process is no more. */
const gone = Effect.interruptible(Effect.never)

const folder = (): Folder => ({ _tag: "Folder", names: new Map(), syncedNames: new Map() })
const file = (): File => ({ _tag: "File", bytes: Buffer.alloc(0), synced: Buffer.alloc(0), lost: undefined })

/** Pages that a failed fdatasync has dropped are zeros on the disk. */
const written = ({ bytes, lost }: File): Buffer =>
  lost === undefined ? bytes : Buffer.from(bytes).fill(0, lost.from, Math.min(lost.to, bytes.length))

/** The part of a power cut: every name and byte that was not synced is gone, but for a file's tail. */
const cutPower = (node: Node, tail: Tail): void => {
  if (node._tag === "Folder") {
    node.names = new Map(node.syncedNames)
    for (const each of node.names.values()) cutPower(each, tail)
  } else {
    const { bytes, synced } = node
    const grown = bytes.length > synced.length && bytes.subarray(0, synced.length).equals(synced)
    node.bytes = grown ? Buffer.concat([synced, tail(bytes.subarray(synced.length))]) : synced
    node.synced = node.bytes
  }
}

/**
 * A file system in memory behind the journal's seam. It knows what was synced and what was not, and any call of it can
 * be made to fail or to be the last one of the process. Every call gives other fibers their turn, as a real disk does.
 */
export class MemoryDisk {
  readonly root: string
  /** Asked before each call. */
  fault: (call: Call) => Fault | undefined = () => undefined
  calls = 0
  readonly killed = Deferred.makeUnsafe<void>()
  /** The number of the file system. */
  device = 1
  private readonly numbers = new WeakMap<Node, number>()
  private nextNumber = 1
  private readonly tree: Folder
  private dead = false

  constructor(root: string, tree: Folder = folder()) {
    this.root = root
    this.tree = tree
  }

  /** The disk as the next process finds it after `kill -9`. */
  afterKill(): MemoryDisk {
    this.dead = true
    return new MemoryDisk(this.root, this.tree)
  }

  /** The disk as the next process finds it after a power cut. */
  afterPowerCut(tail: Tail): MemoryDisk {
    this.dead = true
    cutPower(this.tree, tail)
    return new MemoryDisk(this.root, this.tree)
  }

  /** Every file by its path below the root. */
  files(): Map<string, Buffer> {
    const found = new Map<string, Buffer>()
    const walk = (node: Folder, prefix: string): void => {
      for (const [name, each] of node.names) {
        if (each._tag === "Folder") walk(each, `${prefix}${name}/`)
        else found.set(prefix + name, each.bytes)
      }
    }
    walk(this.tree, "")
    return found
  }

  /** Spoils, makes or shortens a file behind the journal's back. */
  put(path: string, bytes: Uint8Array): void {
    let parent = this.tree
    for (const name of path.split("/").slice(0, -1)) {
      const next = parent.names.get(name) ?? folder()
      if (next._tag !== "Folder") throw new Error(`${name} is a file`)
      parent.names.set(name, next)
      parent.syncedNames.set(name, next)
      parent = next
    }
    const found = this.makeFile(`${this.root}/${path}`)
    parent.syncedNames.set(path.split("/").at(-1) ?? "", found)
    found.bytes = Buffer.from(bytes)
    found.synced = found.bytes
  }

  get layer(): Layer.Layer<Disk> {
    return Layer.succeed(Disk, this.disk)
  }

  private parts(path: string): ReadonlyArray<string> {
    const below = relative(this.root, path)
    if (below.startsWith("..")) throw new Error(`${path} is not below ${this.root}`)
    return below === "" ? [] : below.split(sep)
  }

  private find(path: string): Node | undefined {
    let node: Node | undefined = this.tree
    for (const name of this.parts(path)) node = node?._tag === "Folder" ? node.names.get(name) : undefined
    return node
  }

  private fileAt(path: string): File {
    const node = this.find(path)
    if (node?._tag !== "File") throw "ENOENT"
    return node
  }

  private parentOf(path: string): readonly [Folder, string] {
    const parts = this.parts(path)
    const node = this.find([this.root, ...parts.slice(0, -1)].join("/"))
    if (node?._tag !== "Folder") throw "ENOENT"
    return [node, parts.at(-1) ?? ""]
  }

  private makeFile(path: string): File {
    const [parent, name] = this.parentOf(path)
    const found = parent.names.get(name)
    if (found?._tag === "File") return found
    const made = file()
    parent.names.set(name, made)
    return made
  }

  /** `run` does the given part of the call; it throws the system's code. */
  private call<A>(operation: string, path: string, run: (done: number) => A): Effect.Effect<A, DiskError> {
    return Effect.andThen(
      Effect.yieldNow,
      Effect.suspend(() => {
        if (this.dead) return gone
        const fault = this.fault({ index: this.calls++, operation, path })
        try {
          const value = fault === undefined || fault.done > 0 ? run(fault?.done ?? 1) : undefined
          if (fault === undefined) return Effect.succeed(value as A)
        } catch (code) {
          if (typeof code !== "string") throw code
          return Effect.fail(new DiskError({ operation, path, code }))
        }
        if (fault._tag === "Refused") {
          if (operation === "fdatasync") this.drop(path)
          return Effect.fail(new DiskError({ operation, path, code: fault.code }))
        }
        this.dead = true
        Deferred.doneUnsafe(this.killed, Effect.void)
        return gone
      })
    )
  }

  private drop(path: string): void {
    const target = this.find(path)
    if (target?._tag !== "File" || target.bytes.length <= target.synced.length) return
    target.lost = { from: target.synced.length, to: target.bytes.length }
  }

  /** As `call`, for what happens whole or not at all. */
  private whole<A>(operation: string, path: string, run: () => A): Effect.Effect<A, DiskError> {
    return this.call(operation, path, (done) => (done === 1 ? run() : (undefined as A)))
  }

  private writeInto(target: File, bytes: Uint8Array, at: number, done: number): void {
    const part = bytes.subarray(0, Math.floor(bytes.length * done))
    const grown = Buffer.alloc(Math.max(target.bytes.length, at + part.length))
    target.bytes.copy(grown)
    grown.set(part, at)
    target.bytes = grown
    const { lost } = target
    if (lost === undefined || at > lost.from || at + part.length <= lost.from) return
    target.lost = at + part.length >= lost.to ? undefined : { from: at + part.length, to: lost.to }
  }

  private truncateFile(target: File, length: number): void {
    target.bytes = Buffer.concat([target.bytes, Buffer.alloc(length)]).subarray(0, length)
  }

  private handle(path: string, target: File): DiskFile {
    const state = { closed: false }
    const whole = (operation: string, run: () => void) =>
      this.whole(operation, path, () => {
        if (state.closed) throw "EBADF"
        run()
      })
    return {
      write: (bytes, at) =>
        this.call("write", path, (done) => {
          if (state.closed) throw "EBADF"
          this.writeInto(target, bytes, at, done)
        }),
      read: (at, length) => this.whole("read", path, () => target.bytes.subarray(at, at + length)),
      truncate: (length) => whole("truncate", () => this.truncateFile(target, length)),
      datasync: whole("fdatasync", () => {
        target.synced = written(target)
      }),
      close: this.whole("close", path, () => {
        state.closed = true
      })
    }
  }

  private readonly disk = Disk.of({
    openForWriting: (path) => this.whole("open", path, () => this.handle(path, this.makeFile(path))),
    appendLine: (path, line) =>
      this.call("append to", path, (done) => {
        const target = this.makeFile(path)
        this.writeInto(target, Buffer.from(`${line}\n`), target.bytes.length, done)
        if (done === 1) target.synced = target.bytes
      }),
    readAt: (path, at, length) => this.whole("read", path, () => this.fileAt(path).bytes.subarray(at, at + length)),
    writeWhole: (path, bytes) =>
      this.call("write", path, (done) => {
        const target = this.makeFile(path)
        target.bytes = Buffer.alloc(0)
        this.writeInto(target, bytes, 0, done)
        if (done === 1) target.synced = target.bytes
      }),
    rename: (from, to) =>
      this.whole("rename", from, () => {
        const source = this.fileAt(from)
        const [parent, name] = this.parentOf(to)
        const [old, oldName] = this.parentOf(from)
        old.names.delete(oldName)
        parent.names.set(name, source)
      }),
    remove: (path) =>
      this.whole("remove", path, () => {
        const [parent, name] = this.parentOf(path)
        parent.names.delete(name)
      }),
    removeEmpty: (path) =>
      this.whole("remove", path, () => {
        const [parent, name] = this.parentOf(path)
        const node = parent.names.get(name)
        if (node?._tag === "Folder" && node.names.size === 0) parent.names.delete(name)
      }),
    truncate: (path, length) =>
      this.whole("truncate", path, () => {
        const target = this.fileAt(path)
        this.truncateFile(target, length)
        target.synced = target.bytes
      }),
    makeFolder: (path) =>
      this.whole("make folder", path, () => {
        let node = this.tree
        for (const name of this.parts(path)) {
          const next = node.names.get(name) ?? folder()
          if (next._tag !== "Folder") throw "EEXIST"
          node.names.set(name, next)
          node = next
        }
      }),
    syncFolder: (path) =>
      this.whole("sync folder", path, () => {
        const node = this.find(path)
        if (node?._tag !== "Folder") throw "ENOENT"
        node.syncedNames = new Map(node.names)
      }),
    list: (path) =>
      this.whole("list", path, () => {
        const node = this.find(path)
        if (node?._tag === "File") throw "ENOTDIR"
        return node === undefined ? [] : [...node.names.keys()].sort()
      }),
    size: (path) =>
      this.whole("look at", path, () => {
        const node = this.find(path)
        return node?._tag === "File" ? node.bytes.length : undefined
      }),
    // Asked for every second by those who watch over the folder: no call to count or to fail, unless its device is gone.
    identity: (path) =>
      Effect.sync(() => {
        const node = this.find(path)
        if (node === undefined) return undefined
        if (!this.numbers.has(node)) this.numbers.set(node, this.nextNumber++)
        const kind = node._tag === "File" ? "file" : "folder"
        return { kind, device: this.device, key: `${this.device}:${this.numbers.get(node)}` } as const
      })
  })
}
