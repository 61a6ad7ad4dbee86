/** A part of the page with a heading: a landmark that screen readers list. */
import type { ComponentChildren } from 'preact';

export interface PaneProps {
  readonly id: string;
  readonly title: string;
  /** Right of the title. */
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Pane({ id, title, tools, children }: PaneProps) {
  return (
    <section class={`pane pane-${id}`} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        <div class="tools">{tools}</div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <div class="body" tabIndex={0}>
        {children}
      </div>
    </section>
  );
}
