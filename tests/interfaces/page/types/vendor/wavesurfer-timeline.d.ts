export {default} from "wavesurfer.js/dist/plugins/timeline.js";
