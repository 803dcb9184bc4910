"""The cases of the record: name and commands, as they are typed after `regrow`.

`{in}` is the folder of inputs (inputs.py), by the same relative path in every record, as sheets show it. All commands
of a case run one after the other in the case's own folder and home. `arguments_of` adds the options that make results
comparable (torch, one thread, JSON).
"""

import shlex

CAT = "{in}/cat.png --source 'an orange cat on a beach'"
CHANGE = f"edit {CAT} --steps 5 --out e.png"
BLACK = f"{CHANGE} --target 'a black cat on a beach'"
PLAY = "edit {in}/piano.wav --source 'a slow piano melody' --steps 4 --out e.wav"
PIANO = f"{PLAY} --target 'a slow flute melody'"
ORANGE = "generate 'an orange cat on a beach'"
MELODY = "generate 'a slow piano melody' --model bandstand --steps 4"
TINY = "--new tiny --batch 4 --hold-out 2 --sample-minutes 0"
INVERSIONS = (
    *("anchored", "naive", "fixed_point", "edict", "belm", "reversible"),
    *("edit_friendly", "edit_friendly_2m", "uni_inv"),
)
METHODS = (*INVERSIONS, "negative_prompt", "null_text", "uni_edit", "inversion_free", "img2img")
SOUND_METHODS = (
    *("anchored", "naive", "edict", "edit_friendly"),
    *("uni_edit", "negative_prompt", "inversion_free", "img2img"),
)

INPUTS = "../../inputs"
ENGINE, THREADS = ["--engine", "torch"], ["--threads", "1"]
COMPUTED = ("generate", "edit", "extend", "interpolate", "invert", "replay")

GENERATE = {
    "default": f"{ORANGE} --steps 6 --out g.png",
    "heun": f"{ORANGE} --steps 4 --solver heun --out g.png",
    "ddim eta": f"{ORANGE} --steps 5 --solver ddim --eta 0.7 --seed 7 --out g.png",
    "Chinese": "generate 一只橙色的猫在沙滩上 --steps 5 --out g.png",
    "guidance 1": f"{ORANGE} --steps 5 --guidance 1 --out g.webp",
    "negative, leave": f"{ORANGE} --steps 5 --negative 'a dog' --details leave --guidance-share 1 --out g.png",
    "count, size": f"{ORANGE} --steps 5 --size 64 96 --count 3 --out g.png",
    "leading": f"{ORANGE} --steps 5 --spacing leading --solver ddim --out g.png",
    "log_snr": f"{ORANGE} --steps 5 --spacing log_snr --out g.jpg",
    "sound": f"{MELODY} --out g.wav",
    "sound, windows": f"{MELODY} --duration 9 --out g.flac",
    "sound, loop": f"{MELODY} --loop --count 2 --seed 3 --out g.wav",
    "sound, melody": "generate 'a flute melody' --melody {in}/piano.wav --steps 4 --out g.wav",
    "sound, leave": f"{MELODY} --details leave --guidance 1 --duration 2 --out g.wav",
    "sound, Chinese": "generate 慢速的钢琴旋律 --model bandstand --steps 4 --duration 2 --out g.wav",
}
EDIT = {
    **{method: f"{BLACK} --method {method}" for method in METHODS},
    "all defaults": "edit {in}/cat.png --target 'a black cat' --out e.png",
    "region": f"{BLACK} --region 0.1,0.2,0.8,0.9",
    "mask auto": f"{BLACK} --mask auto",
    "mask file": f"{BLACK} --mask {{in}}/mask.png",
    "mask painted grey": f"{BLACK} --mask {{in}}/grey.png --feather 0",
    "region and mask": f"{BLACK} --mask auto --region 0,0,0.7,1 --method edict",
    "several targets": f"{CHANGE} --target 'a black cat on a beach' 'an orange dog on a beach' --seed 4",
    "strength auto": f"{BLACK} --strength auto",
    "source auto": "edit {in}/cat.png --source auto --target 'a penguin on a beach' --steps 5 --out e.png",
    "negative": f"{BLACK} --negative 'a grey cat' --invert-guidance 1.5",
    "details leave": f"{BLACK} --details leave",
    "start_step": f"{BLACK} --start-step 2",
    "eta": f"{BLACK} --method naive --eta 0.6 --seed 5",
    "leading, arrives": f"{BLACK} --method naive --spacing leading --label arrives",
    "log_snr": f"{BLACK} --spacing log_snr",
    "frame pad": "edit {in}/wide.png --target 'a black cat on a beach' --frame pad --steps 5 --out e.png",
    "frame stretch": "edit {in}/wide.png --target 'a black cat on a beach' --frame stretch --steps 5 --out e.png",
    "frame crop, turned photo": "edit {in}/photo.jpg --target 'a black cat on a beach' --steps 5 --out e.jpg",
    "alpha": "edit {in}/clear.png --target 'a black cat on a beach' --steps 5 --region 0,0,1,0.5 --out e.png",
    "size": f"{BLACK} --size 96 128",
    "Chinese": "edit {in}/cat.png --source 一只橙色的猫在沙滩上 --target 一只黑色的猫在沙滩上 --steps 5 --out e.png",
    "guidance 1": f"{BLACK} --guidance 1",
    "p2p": f"{BLACK} --attention p2p --emphasis black=2 --attention-share 0.6",
    "masactrl": f"{BLACK} --attention masactrl --method naive",
    "explore": f"{BLACK} --explore --strengths 0.5 1.0 --guidances 1 4",
    "sheet": f"{BLACK} --sheet s.png",
    "bfloat16": f"{BLACK} --dtype bfloat16",
    "again from the cache": [f"{BLACK} --strength 1", f"{BLACK} --strength 0.6"],
    "trajectory, two targets": [
        f"invert {CAT} --steps 5 --reference 0 --out t.safetensors",
        f"{CHANGE} --trajectory t.safetensors --target 'a black cat on a beach' 'an orange dog on a beach'",
    ],
    **{f"sound, {method}": f"{PIANO} --method {method}" for method in SOUND_METHODS},
    "sound, span": f"{PIANO} --span 0.8:1.9",
    "sound, notes free": f"{PIANO} --notes free --details leave",
    "sound, several targets": f"{PLAY} --target 'a slow flute melody' 'a fast piano melody' --strength 0.7",
    "sound, sheet": f"{PIANO} --sheet s.png",
    "sound, masactrl": f"{PIANO} --attention masactrl",
    "sound, stereo": "edit {in}/stereo.wav --target 'a slow flute melody' --steps 4 --out e.flac",
    "sound, source auto": "edit {in}/second.wav --source auto --target 'a slow flute' --steps 4 --out e.ogg",
    "sound, source auto of a melody": "edit {in}/piano.wav --source auto --target 'a slow flute melody' --steps 4",
}
LONGER = {
    "extend after": "extend {in}/piano.wav 'a slow piano melody' --after 2 --steps 4 --out x.wav",
    "extend before": "extend {in}/stereo.wav 'a slow piano melody' --before 1 --after 0 --steps 4 --out x.wav",
    "extend both, free": "extend {in}/piano.wav --before 1 --after 1 --notes free --steps 4 --count 2 --out x.wav",
    "interpolate pictures": "interpolate {in}/cat.png {in}/other.png --frames 3 --steps 4 --out i.png",
    "interpolate sounds": "interpolate {in}/piano.wav {in}/second.wav --words 'a piano' 'a flute' --frames 3 "
    "--steps 4 --strength 0.8 --out i.wav",
    "interpolate prompts": "interpolate 'an orange cat' 'a black cat' --frames 3 --steps 4 --seed 2 --out i.png",
    "interpolate prompts of sounds": "interpolate 'a piano' 'a flute' --model bandstand --frames 2 --steps 4 "
    "--duration 2 --out i.wav",
}
INVERT = {
    **{f"invert {m}": f"invert {CAT} --steps 5 --reference 0 --method {m} --out t.safetensors" for m in INVERSIONS},
    "invert, reference": f"invert {CAT} --steps 5 --reference 12 --guidance 2 --label arrives --method naive",
    "invert, frame": "invert {in}/wide.png --steps 4 --reference 0 --frame pad --size 64 96 --spacing log_snr",
}
REPLAY = {
    "replay generate": [f"{ORANGE} --steps 4 --size 64 64 --count 2 --out g.png", "replay g-2.png --out r.png"],
    "replay edit": [f"{BLACK} --mask {{in}}/grey.png", "replay e.png --out r.png"],
    "replay sound": [f"{PIANO} --span 0.8:1.9", "replay e.wav --out r.wav"],
    "replay extend": ["extend {in}/piano.wav --after 1 --steps 3 --out x.wav", "replay x.wav --out r.wav"],
    "replay interpolate": [
        "interpolate {in}/cat.png {in}/other.png --frames 3 --steps 3 --size 64 64 --out i.png",
        "replay i-2.png --out r.png",
    ],
    "inspect": [
        f"invert {CAT} --steps 4 --reference 0 --out t.safetensors",
        "inspect {in}/cat.png",
        "inspect t.safetensors",
        "inspect {in}/cat.png --model storybook --source 'an orange cat' --steps 5 --out p.png",
    ],
    "inspect a sound": ["inspect {in}/piano.wav --model bandstand --out p.png", "inspect {in}/stereo.wav --out q.png"],
}
TRAIN = {
    "train on pictures": [
        f"train {{in}}/pictures --name t {TINY} --size 64 --steps 20 --prompts 'a red circle'",
        "generate 'a red circle' --model t --steps 4 --out g.png",
        "train {in}/pictures --name more --from t --lora 2 --batch 4 --hold-out 2 --steps 5 --sample-minutes 0",
        "models show more",
        "models push t somebody/t --to published",
        "models remove more --yes",
    ],
    "train on the storybook": f"train --world storybook --name t {TINY} --size 64 --scenes 12 --steps 6 --prompts cat",
    "train on the bandstand": f"train --world bandstand --name t {TINY} --scenes 6 --steps 3 --prompts 'a piano'",
    "train on sounds": f"train {{in}}/sounds --medium sound --name t {TINY} --steps 3 --prompts 'a low tone'",
    "train without codec": f"train {{in}}/pictures --stage pixel --name t {TINY} --size 32 --steps 4 --optimizer adamw",
    "train, mixed": "train {in}/pictures --world storybook --from storybook --size 64 --scenes 6 --name t --steps 2 "
    "--batch 2 --hold-out 2 --sample-minutes 0 --prompts 'a cat'",
}
MEASURE = {
    "verify": "verify",
    "verify storybook": "verify storybook",
    "models": ["models show storybook", "models show bandstand", "models list"],
    "bench mel": "bench mel --clips 1",
    "bench storybook": "bench storybook --scenes 8",
    "bench bandstand": "bench bandstand --phrases 2",
    "bench edit": "bench edit --wishes 2 --tuning 0 --round-trips 1 --only naive course",
    "bench sound": "bench sound --phrases 1 --tuning 1 --settings 1 --only anchored",
}
REFUSED = {
    "refused: no such file": "edit {in}/none.png --target 'a cat'",
    "refused: strength": f"{BLACK} --strength 1.5",
    "refused: region": f"{BLACK} --region 0.9,0,0.1,1",
    "refused: attention": f"{BLACK} --method inversion_free --attention p2p",
    "refused: eta": f"{BLACK} --eta 0.5",
    "refused: span of a picture": f"{BLACK} --span 0:1",
    "refused: region of a sound": f"{PIANO} --region 0,0,1,0.5",
    "refused: no model": f"{ORANGE} --model nowhere",
    "refused: no recipe": "replay {in}/cat.png",
    "refused: not an option": f"{BLACK} --strenght 0.5",
    "refused: a training without data": "train --name t",
    "refused: a text": "edit {in}/pictures/00.txt --target 'a cat'",
}


def cases() -> dict[str, list[list[str]]]:
    """Return the commands of every case by its name, each command as a list of arguments."""
    named = {
        **{f"generate {name}": command for name, command in GENERATE.items()},
        **{f"edit {name}": command for name, command in EDIT.items()},
        **LONGER,
        **INVERT,
        **REPLAY,
        **TRAIN,
        **MEASURE,
        **REFUSED,
    }
    return {
        name: [shlex.split(command) for command in ([commands] if isinstance(commands, str) else commands)]
        for name, commands in named.items()
    }


def arguments_of(command: list[str]) -> list[str]:
    """Return the command with its paths, and with the options that make results comparable."""
    verb = command[0]
    options = (ENGINE if verb in COMPUTED else []) + (THREADS if verb != "models" else []) + ["--json"]
    return [word.replace("{in}", INPUTS) for word in command] + options
