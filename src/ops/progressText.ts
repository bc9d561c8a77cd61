import { speedWords } from "./amountWords.ts"

/** How far a pass over the archive has come. */
export interface Progress {
  /** Bytes of the archive that are done. */
  readonly bytes: number
  readonly elapsed_ms: number
  readonly rowsPerSecond: number
}

const bar = (share: number, width: number): string => {
  const full = Math.round(share * width)
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]`
}

const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.ceil(seconds))
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** One line: a bar of what is done, the words of whoever passes, and how long the rest will take. */
export const progressBar = (
  { elapsed_ms, share, words }: { readonly share: number; readonly elapsed_ms: number; readonly words: string },
  width: number
): string => {
  const done = Math.min(1, share)
  const left_seconds = done === 0 ? 0 : (elapsed_ms / 1_000) * (1 / done - 1)
  const text = `${words}  ${duration(left_seconds)} left`
  const room = Math.max(10, Math.min(40, width - text.length - 6))
  return `${bar(done, room)} ${text}   `
}

/** How much of the archive is done, and how fast. */
export const archiveProgress =
  (totalBytes: number) =>
  ({ bytes, elapsed_ms, rowsPerSecond }: Progress, width: number): string => {
    const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes)
    return progressBar({ share, elapsed_ms, words: `${Math.floor(share * 100)} %  ${rowsPerSecond} rows/s` }, width)
  }

/** Of what is being passed over: files, and bytes as they are read, or sent and read back. */
export interface FilesProgress {
  readonly files: number
  readonly filesTotal: number
  readonly bytes: number
  readonly bytesTotal: number
}

/** How many files have passed, how fast, how long the rest will take. */
export const filesProgress = (
  { bytes, bytesTotal, files, filesTotal }: FilesProgress,
  width: number,
  elapsed_ms: number
): string => {
  const words = `${files} of ${filesTotal} files  ${speedWords(bytes, elapsed_ms)}`
  return progressBar({ share: bytesTotal === 0 ? 1 : bytes / bytesTotal, elapsed_ms, words }, width)
}
