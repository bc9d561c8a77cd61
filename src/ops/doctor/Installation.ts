import type { Effect } from "effect"
import type { FedAccount } from "../../feed/AccountFeed.ts"
import type { DatabaseOptions } from "../../sql/Database.ts"
import type { BackupTarget } from "../backup/BackupTarget.ts"
import type { Limits } from "../diskWatch/Limits.ts"
import type { HealthReport } from "../Health.ts"
import type { RetentionOptions } from "../Retention.ts"

/** The process that holds the data folder. */
export interface Holder {
  readonly pid: number
  readonly purpose: string
}

/** What the settings say of one observer: what the checks look at. */
export interface Installation {
  readonly node: string
  readonly dataDir: string
  readonly logDir: string
  readonly stateDir: string
  readonly fsync_ms: number
  readonly disk: Limits
  readonly retention: Pick<RetentionOptions, "days" | "unbacked">
  /** `undefined` where no target is set. */
  readonly backup: { readonly target: BackupTarget; readonly age_hours: number } | undefined
  readonly session: "calendar" | "always"
  /** The broker's accounts with their servers; `undefined` where the simulator in the box is observed. */
  readonly accounts: ReadonlyArray<FedAccount> | undefined
  /** `undefined` when SQL is off. */
  readonly database: DatabaseOptions | undefined
  /** The folder of the compiled migrations. */
  readonly migrations: string
  /** Who records into the data folder now, asked once. */
  readonly holder: Effect.Effect<Holder | undefined>
  /** What a running observer says of itself over HTTP, asked once; `undefined` where none answers. */
  readonly health: Effect.Effect<HealthReport | undefined>
}

/** Whose calendar is remembered: the broker's, that of a server in its place, or the simulator's. */
export const placeOf = ({ accounts }: Installation): string => accounts?.[0]?.endpoints.place ?? "simulator"
