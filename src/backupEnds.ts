import { Effect } from "effect"
import { endWith, exitCode } from "./ProgramEnd.ts"

const folders = (error: { readonly message: string }) => Effect.fail(endWith(exitCode.folders)(error))

/** How a program ends that cannot use a target or the folders. */
export const backupEnds = {
  TargetError: (error: { readonly message: string }) => Effect.fail(endWith(exitCode.credentials)(error)),
  DiskError: folders,
  FolderLocked: folders,
  FolderUnwritable: folders
}
