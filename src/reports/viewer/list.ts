/** A list of any length of which only the rows in view are elements: a listbox that is read and moved through by keyboard. */
import { el } from "./dom.ts"

export interface ListRow {
  readonly content: ReadonlyArray<Node>
  readonly className?: string
}

export interface ListOptions {
  readonly label: string
  readonly id: string
  readonly rowHeight: number
  readonly row: (index: number) => ListRow
  /** A row was chosen, by a press or by Enter; `isMove`: by an arrow key. */
  readonly choose: (index: number, isMove: boolean) => void
}

/** Rows beyond the edges that are kept, so that scrolling shows no gaps. */
const spare = 6

export class List {
  readonly element: HTMLElement
  private readonly options: ListOptions
  private readonly inner = el("div", { class: "rows", role: "presentation" })
  private length = 0
  private current = -1
  private wanted = false

  constructor(options: ListOptions) {
    this.options = options
    this.element = el(
      "div",
      { class: "list", id: options.id, role: "listbox", tabindex: "0", "aria-label": options.label },
      this.inner
    )
    this.element.addEventListener("scroll", () => this.ask(), { passive: true })
    this.element.addEventListener("keydown", (event) => this.key(event))
    this.element.addEventListener("click", (event) => {
      const row = (event.target as Element).closest("[data-index]")
      if (row !== null) this.go(Number(row.getAttribute("data-index")), false)
    })
    new ResizeObserver(() => this.ask()).observe(this.element)
  }

  /** Its length, and which row is the current one (-1: none). */
  show(length: number, current: number): void {
    this.length = length
    this.inner.style.height = `${length * this.options.rowHeight}px`
    if (current >= 0 && current !== this.current) this.reveal(current)
    this.current = current
    this.ask()
  }

  private key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.options.rowHeight) - 1)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: this.current + 1,
      ArrowUp: Math.max(this.current, 1) - 1,
      PageDown: this.current + page,
      PageUp: this.current - page,
      Home: 0,
      End: this.length - 1
    }
    const to = moves[event.key]
    if (to !== undefined) this.go(Math.min(Math.max(to, 0), this.length - 1), true)
    else if (event.key === "Enter" && this.current >= 0) this.go(this.current, false)
    else return
    event.preventDefault()
    event.stopPropagation()
  }

  private go(index: number, isMove: boolean): void {
    if (index < 0 || index >= this.length) return
    this.reveal(index)
    this.current = index
    this.ask()
    this.options.choose(index, isMove)
  }

  private reveal(index: number): void {
    const { rowHeight } = this.options
    const { clientHeight, scrollTop } = this.element
    const top = index * rowHeight
    if (top < scrollTop) this.element.scrollTop = top
    else if (top + rowHeight > scrollTop + clientHeight) this.element.scrollTop = top + rowHeight - clientHeight
  }

  private ask(): void {
    if (this.wanted) return
    this.wanted = true
    requestAnimationFrame(() => this.draw())
  }

  private draw(): void {
    this.wanted = false
    const { id, row, rowHeight } = this.options
    const first = Math.max(0, Math.floor(this.element.scrollTop / rowHeight) - spare)
    const last = Math.min(
      this.length,
      Math.ceil((this.element.scrollTop + this.element.clientHeight) / rowHeight) + spare
    )
    const rows: Array<Node> = []
    for (let index = first; index < last; index++) {
      const { className = "", content } = row(index)
      const element = el(
        "div",
        {
          id: `${id}-${index}`,
          class: `row ${className}`,
          role: "option",
          "data-index": String(index),
          "aria-selected": String(index === this.current),
          "aria-setsize": String(this.length),
          "aria-posinset": String(index + 1)
        },
        ...content
      )
      element.style.transform = `translateY(${index * rowHeight}px)`
      element.style.height = `${rowHeight}px`
      rows.push(element)
    }
    this.inner.replaceChildren(...rows)
    if (this.current >= first && this.current < last)
      this.element.setAttribute("aria-activedescendant", `${id}-${this.current}`)
    else this.element.removeAttribute("aria-activedescendant")
  }
}
