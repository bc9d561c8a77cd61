import { statfs } from "node:fs/promises"

/** What a user may still write on a file system, and its whole. */
export interface Space {
  readonly free_bytes: number
  readonly total_bytes: number
}

/** Of the file system that a path is on; rejects with the system's error. */
export const spaceOf = async (path: string): Promise<Space> => {
  const { bavail, blocks, bsize } = await statfs(path)
  return { free_bytes: bavail * bsize, total_bytes: blocks * bsize }
}
