// @ts-check
/** `<regrow-more>`: the settings of Create without their own place on the page. */
import {button} from "../controls.js";
import {PLACED, ROLL, modelOf, verbOf} from "../create.js";
import {form} from "./form.js";
import {Stored, change, html, light, loading, nothing, state, t, toast} from "./light.js";

export class RegrowMore extends Stored(light(() => ({}))) {
  render() {
    const {create, schemas, problem} = state, schema = schemas[verbOf()], {abilities} = modelOf() ?? {};
    const before = create.settings, count = Object.keys(before).length;
    if (!schema) return loading();
    const reset = () => {
      change({settings: {}});
      toast(t("more_reset_done"), {undo: () => change({settings: before})});
    };
    const wrong = problem?.field && !PLACED.has(problem.field) && {message: problem.sentence, field: problem.field};
    const said = count ? t("more_differ", {count}) : t("more_all_default");
    return html`<div class="row"><span class="muted grow">${said}</span>
        ${count ? button("undo", t("more_reset"), reset) : nothing}</div>
      ${form({schema, values: before, error: wrong, medium: create.medium, abilities,
        without: [...PLACED, ...(abilities?.sings_notes ? ROLL : [])], put: (settings) => change({settings})})}`;
  }
}
customElements.define("regrow-more", RegrowMore);
