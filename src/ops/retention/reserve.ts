import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { isNoRoom } from "../../domain/systemCode.ts"
import { Disk, type DiskError } from "../../journal/Disk.ts"

const name = ".reserve"
const reserve_bytes = 65_536

const hasNoRoom = ({ code }: DiskError) => isNoRoom(code)

/** Keeps a small file in the data folder, while there is room: to delete files on purpose, that must be written down first. */
export const keepReserve = Effect.fnUntraced(function* (dataDir: string) {
  const disk = yield* Disk
  const path = join(dataDir, name)
  const make = Effect.gen(function* () {
    // A file system that compresses keeps no room for zeros.
    if ((yield* disk.size(path)) !== reserve_bytes) yield* disk.writeWhole(path, randomBytes(reserve_bytes))
  })
  yield* Effect.ignore(make)
})

/** Writes what frees room; on a full disk in the room of the reserve. */
export const inReserve = <R>(dataDir: string, write: Effect.Effect<void, DiskError, R>) =>
  Effect.catchIf(write, hasNoRoom, () =>
    Effect.flatMap(Disk, (disk) => Effect.andThen(disk.remove(join(dataDir, name)), write))
  )
