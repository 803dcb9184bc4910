export {default} from "wavesurfer.js/dist/plugins/spectrogram.js";
