import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import type { Position } from "../journal/Position.ts"

/** How far a replay of one range of days has come, node by node. It is kept in `follower_cursors` until the replay is done. */
export interface ReplayCheckpoints {
  readonly read: Effect.Effect<ReadonlyMap<string, Position>, SqlError>
  /**
   * Everything of the node before this place is stored. It never moves back, so that of two replays of one range each may
   * move it. The server's disk has it, and with it all that was stored before, once this returns.
   */
  move(node: string, to: Position): Effect.Effect<void, SqlError>
  remove(node: string): Effect.Effect<void, SqlError>
}

/** @param range what is replayed; another range has checkpoints of its own. */
export const makeReplayCheckpoints = Effect.fnUntraced(function* (range: string) {
  const sql = yield* SqlClient.SqlClient
  const follower = `replay ${range}`
  const checkpoints: ReplayCheckpoints = {
    read: Effect.map(
      sql<{ node: string; seq: bigint; file: string; byte_offset: bigint }>`select node, seq, file, byte_offset
        from follower_cursors where follower = ${follower}`,
      (rows) =>
        new Map(
          rows.map(({ byte_offset, file, node, seq }) => [
            node,
            { seq: Number(seq), file, byteOffset: Number(byte_offset) }
          ])
        )
    ),
    move: (node, { byteOffset, file, seq }) => {
      const place = { follower, node, seq: BigInt(seq), file, byte_offset: BigInt(byteOffset) }
      return Effect.asVoid(sql`insert into follower_cursors as stored ${sql.insert(place)}
        on conflict (follower, node) do update
          set seq = excluded.seq, file = excluded.file, byte_offset = excluded.byte_offset, updated_at = now()
          where (stored.file collate "C", stored.byte_offset) < (excluded.file collate "C", excluded.byte_offset)`)
    },
    remove: (node) => Effect.asVoid(sql`delete from follower_cursors where follower = ${follower} and node = ${node}`)
  }
  return checkpoints
})
