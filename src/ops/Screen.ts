import { Config, Context, Effect, Layer, Option } from "effect"
import { createLogUpdate } from "log-update"

/** What the screen needs of `process.stdout`. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

/**
 * The one writer of standard output. Lines scroll; below them, on a terminal, stands a block that is redrawn in place.
 * Everything is synchronous, since loggers are. An output whose reader has gone is written to no more.
 */
export class Screen extends Context.Service<
  Screen,
  {
    readonly terminal: boolean
    readonly colours: boolean
    /** Columns of the terminal now; it may be resized at any time. */
    readonly width: () => number
    /** Writes whole lines above the block. */
    readonly print: (text: string) => void
    /** Replaces the block; without a terminal nothing happens. */
    readonly show: (block: string) => void
    /** Takes the block away and gives the cursor back. */
    readonly clear: () => void
  }
>()("observer/ops/Screen") {
  /** Colours are used on a terminal unless `NO_COLOR` is set. The block is cleared when the scope ends. */
  static readonly layer = (output: Output) =>
    Layer.effect(
      Screen,
      Effect.gen(function* () {
        const noColour = yield* Config.option(Config.String("NO_COLOR")).pipe(Effect.orElseSucceed(() => Option.none()))
        const unwanted = Option.isSome(noColour) && noColour.value !== ""
        return yield* Effect.acquireRelease(
          Effect.sync(() => makeScreen(output, unwanted)),
          (screen) => Effect.sync(screen.close)
        )
      })
    )
}

const makeScreen = (output: Output, noColour: boolean) => {
  const terminal = output.isTTY === true
  const update = createLogUpdate(output)
  let broken = false
  let block = ""
  const onError = () => {
    broken = true
  }
  output.on("error", onError)
  const clear = () => {
    if (block === "" || broken) return
    block = ""
    update.clear()
    update.done()
  }
  return {
    terminal,
    colours: terminal && !noColour,
    width: () => output.columns ?? 80,
    print: (text: string) => {
      if (broken) return
      if (block === "") {
        output.write(`${text}\n`)
        return
      }
      update.clear()
      output.write(`${text}\n`)
      update(block)
    },
    show: (next: string) => {
      if (!terminal || broken) return
      block = next
      update(next)
    },
    clear,
    close: () => {
      clear()
      output.off("error", onError)
    }
  }
}
