"""What the page says, in English and in Chinese.

Labels are translated in the browser by gradio, by the browser's language; sentences that depend on what happened are
put together here, by the language that the browser's request names.
"""

from typing import Any

import gradio as gr

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("regrow", "regrow"),
    "about": (
        "Rewind a picture or a sound to noise, and let it grow back as another. Everything stays on this computer.",
        "把图片或声音倒回噪声，再让它长成别的样子。一切都留在这台电脑上。",
    ),
    "edit": ("Edit", "编辑"),
    "generate": ("Generate", "生成"),
    "history": ("History", "历史"),
    "models": ("Models", "模型"),
    "train": ("Train", "训练"),
    "inside": ("Look inside", "内部"),
    "picture": ("Picture: drop one here, or take the example", "图片：拖到这里，或用示例"),
    "example": ("Take the example cat", "用示例猫图"),
    "medium": ("Picture or sound", "图片或声音"),
    "a_picture": ("Picture", "图片"),
    "a_sound": ("Sound", "声音"),
    "prompt_sound": ("What is heard", "听到什么"),
    "prompt_hint_sound": ("a slow sad piano melody", "慢速忧伤的钢琴旋律"),
    "negative_sound": ("What is not heard", "不要听到什么"),
    "go_generate_sound": ("Make sounds", "生成声音"),
    "sound": ("Sound: drop one here, or take the example", "声音：拖到这里，或用示例"),
    "piano": ("Take the example piano", "用示例钢琴"),
    "source_sound": ("What is heard in it", "里面听到什么"),
    "source_hint_sound": ("a slow sad piano melody", "慢速忧伤的钢琴旋律"),
    "target_hint_sound": ("a slow sad violin melody", "慢速忧伤的小提琴旋律"),
    "go_edit_sound": ("Edit the sound", "编辑声音"),
    "use_result_sound": ("Use the result as the sound", "把结果当作声音"),
    "begin": ("Change only from second", "只改：从第几秒"),
    "end": ("to second (0: all of it)", "到第几秒（0：全部）"),
    "one_wish": ("The wish to go on with", "接着用哪个愿望"),
    "look_sound": ("Show what is in it", "显示里面有什么"),
    "strip_sound": ("Waveform, samples, amplitude, phase, mel and pitch", "波形、样本、幅度、相位、梅尔频谱和音高"),
    "seen": ("Waveform and mel spectrogram", "波形和梅尔频谱"),
    "switch": ("A/B: hear the other one from the same place", "A/B：从同一位置听另一个"),
    "loop_players": ("Loop", "循环播放"),
    "duration": ("Seconds (0: the model's)", "秒数（0：按模型）"),
    "melody": (
        "Its melody: a sound whose notes are played (or leave this empty)",
        "旋律：照着这段声音的音符演奏（可留空）",
    ),
    "notes": ("The notes of the sound: keep them, or free to change", "声音的音符：keep 保留，free 可以改变"),
    "loop": ("The end leads into the beginning", "结尾接上开头"),
    "players": ("Sounds", "声音"),
    "no_sound": ("Drop a sound first, or take the example.", "请先放一段声音，或用示例。"),
    "source": ("What the picture shows", "图片里有什么"),
    "source_hint": ("an orange cat on a beach", "沙滩上的橘猫"),
    "target": ("What it should become (one wish a line)", "要变成什么（每行一个愿望）"),
    "target_hint": ("an orange puppy on a beach", "沙滩上的橘色小狗"),
    "go_edit": ("Edit the picture", "编辑图片"),
    "strength": ("Keep ... change", "保留 …… 改变"),
    "strength_info": (
        "Left keeps more, right changes more. Let go, and it grows again from the path that is kept.",
        "向左多保留，向右多改变；松手后从已存的路径重新生长。",
    ),
    "by_kind": (
        "Choose this by what the words change",
        "按文字要改变的内容来选",
    ),
    "before_after": ("Before and after: drag the line", "前后对比：拖动分界线"),
    "growing": ("Growing", "正在生长"),
    "reconstruction": ("The same path under the old words", "用原来的文字沿同一路径还原"),
    "wishes": ("The wishes: pick one to compare it", "各个愿望：点选一个作对比"),
    "explore": ("Try strengths and guidances on the first wish", "对第一个愿望试不同强度和引导"),
    "sheet": (
        "Strength down, guidance across: pick one to take its settings",
        "向下强度增大，向右引导增大：点选一格取用设置",
    ),
    "cell": ("change {strength}, guidance {guidance}", "改变 {strength}，引导 {guidance}"),
    "use_result": ("Use the result as the picture", "把结果当作图片"),
    "settings": ("All settings", "全部设置"),
    "cancel": ("Cancel", "取消"),
    "prompt": ("What the picture shows", "图片的内容"),
    "prompt_hint": ("a white rabbit in the snow", "雪地里的白兔"),
    "negative": ("What it should not show", "不要出现什么"),
    "negative_edit": ("Words to grow away from (empty: it chooses)", "远离哪些文字（空：由它选择）"),
    "go_generate": ("Make pictures", "生成图片"),
    "again": ("Again", "再来一次"),
    "another": ("Another", "换一张"),
    "results": ("Results", "结果"),
    "count": ("How many", "几张"),
    "model": ("Model", "模型"),
    "seed": ("Seed: the same gives the same", "种子：相同则结果相同"),
    "steps": ("Steps", "步数"),
    "edit_steps": ("Steps (0 = the model's own)", "步数（0 = 模型自己的默认值）"),
    "guidance": ("Guidance: how much the words are exaggerated (1 = off)", "引导：文字强调多少（1 = 关）"),
    "guidance_share": ("Guidance in what share of the steps, the first ones", "引导用在前多大比例的步数里"),
    "details": (
        "What the words leave open, as it is seen (tell: fill the words up with it)",
        "文字没说的部分，按所见（tell：把它补进文字里）",
    ),
    "imagined": (
        "What the words leave open (tell: the seed draws it, and the model is told it)",
        "文字没说的部分（tell：由种子抽取，并告诉模型）",
    ),
    "invert_guidance": ("Guidance of the inversion (1 = off)", "反演的引导（1 = 关）"),
    "solver": ("Solver", "求解器"),
    "eta": ("Fresh noise (eta)", "新噪声（eta）"),
    "spacing": ("Spacing of the levels", "噪声级的间隔"),
    "height": ("Height in pixels (0: the model's)", "高（像素，0：按模型）"),
    "width": ("Width in pixels (0: the model's)", "宽（像素，0：按模型）"),
    "method": ("Method", "方法"),
    "label_level": ("Level the inversion names (naive)", "反演所用的级（naive）"),
    "tolerance": ("Tolerance (fixed_point)", "容差（fixed_point）"),
    "frame": ("A picture of another size is", "尺寸不符时"),
    "region": ("Only this box may change: left, top, right, bottom as shares", "只许改这个框：左,上,右,下（比例）"),
    "mask": ("Mask: white may change, black stays", "蒙版：白处可改，黑处不变"),
    "find_mask": ("Find by itself where to change, and keep the rest untouched", "自动找出要改的地方，其余原样不动"),
    "where": ("Where it may change", "可以改变的地方"),
    "where_about": (
        "Paint over what may change; all else stays as it is, bit for bit. Nothing painted: everywhere.",
        "涂抹可以改变的地方，其余逐位不变。什么都不涂：处处可改。",
    ),
    "painter_canvas": (
        "The picture, to paint on; a box or a mask file can be given below instead",
        "可在图片上涂抹；也可在下面给出方框或蒙版文件",
    ),
    "painter_brush": ("Brush", "画笔"),
    "painter_eraser": ("Eraser", "橡皮"),
    "painter_size": ("Size", "粗细"),
    "painter_clear": ("Clear", "清除"),
    "found_mask": ("Where it was allowed to change", "允许改变的地方"),
    "keep_mask": ("Keep this mask for other words", "换了文字也用这个蒙版"),
    "attention": (
        "Share attention with the picture (p2p: word for word; masactrl: its parts)",
        "与原图共享注意力（p2p：逐词；masactrl：取用其部分）",
    ),
    "attention_share": ("In what share of the steps", "在多大比例的步数里"),
    "emphasis": ("Weigh words (with p2p)", "给词加权（配合 p2p）"),
    "feather": ("Soft edge of region and mask", "区域和蒙版的柔边"),
    "drop": (
        "Drop any picture or sound that regrow made to get its settings back",
        "拖入 regrow 做的任何图片或声音，取回它的设置",
    ),
    "made": ("Everything made here, newest first", "这里做的一切，最新在前"),
    "refresh": ("Show what is new", "刷新"),
    "recipe": ("Recipe", "配方"),
    "replay": ("Make it again", "重做"),
    "reuse": ("Take its settings", "取用设置"),
    "edit_this": ("Edit this", "编辑它"),
    "delete": ("Delete", "删除"),
    "really_delete": ("Really delete", "确认删除"),
    "family": ("Family", "类别"),
    "licence": ("Licence", "许可"),
    "size": ("Size", "大小"),
    "state": ("State", "状态"),
    "error": ("Error", "误差"),
    "allowed": ("Allowed", "允许"),
    "formula": ("Formula", "公式"),
    "from_paper": ("Source", "出处"),
    "against": ("Against", "对照"),
    "models_here": ("Models here", "已有的模型"),
    "pull": ("Get a model from the Hugging Face hub", "从 Hugging Face 下载模型"),
    "repo": ("Repository (user/name)", "仓库（user/name）"),
    "click_model": ("Click a model to read what it is and can do.", "点击一个模型，看它是什么、能做什么。"),
    "makes_picture": ("makes pictures", "生成图片"),
    "makes_sound": ("makes sounds", "生成声音"),
    "card_is": ("It {makes} and takes {size} on disk. ", "它{makes}，占磁盘 {size}。"),
    "card_trained": (
        "It was trained on {data}, {began}: {steps} steps in {minutes} minutes. ",
        "用 {data} 训练，{began}：{steps} 步，历时 {minutes} 分钟。",
    ),
    "card_from": ("going on from {base}", "从 {base} 继续"),
    "card_new": ("from nothing", "从零开始"),
    "card_unknown": ("It does not say what it was trained on. ", "它没有说明用什么训练的。"),
    "card_next": (
        "Choose it as the model on Edit and Generate. ",
        "可在“编辑”和“生成”页选它作模型。",
    ),
    "card_licence": (
        "It states no licence: before you give it to others, write what it is and under which licence into README.md "
        "in {folder}.",
        "它没有写明许可：给别人之前，请在 {folder} 里的 README.md 写明它是什么、用什么许可。",
    ),
    "go_pull": ("Download or resume", "下载或继续"),
    "stop": ("Stop", "停止"),
    "folder": ("Folder on this computer", "本机文件夹"),
    "go_open": ("Add this folder", "加入这个文件夹"),
    "name": ("Name", "名称"),
    "set": (
        "Folder with pictures (captions beside them, in metadata files or folder names)",
        "图片文件夹（旁边带文字说明）",
    ),
    "set_sound": (
        "Folder with sounds (captions beside them, in metadata files or folder names)",
        "声音文件夹（旁边带文字说明，或在元数据文件、文件夹名里）",
    ),
    "upload_set": ("or upload pictures and caption files", "或上传图片和说明文件"),
    "upload_set_sound": ("or upload sounds and caption files", "或上传声音和说明文件"),
    "new_model": ("nothing: a new small model", "从零开始：新的小模型"),
    "model_name": ("Name of the new model", "新模型的名称"),
    "from": ("Go on from", "从哪个模型继续"),
    "how_long": ("For how long (like 20m or 2h)", "训练多久（如 20m、2h）"),
    "lora": ("LoRA rank (0 = train the whole denoiser)", "LoRA 秩（0 = 训练整个去噪器）"),
    "batch": ("Pictures a step", "每步图片数"),
    "batch_sound": ("Clips a step", "每步片段数"),
    "minutes": ("Minutes between sample grids", "样图间隔（分钟）"),
    "train_steps": ("Steps instead of a time (0 = by time)", "用步数代替时间（0 = 按时间）"),
    "rehearse": ("See what will be used", "看看会用到什么"),
    "go_train": ("Start training", "开始训练"),
    "runs": ("Trainings", "训练记录"),
    "resume": ("Resume", "继续"),
    "loss": ("Loss", "损失"),
    "samples": ("Newest samples", "最新样图"),
    "log": ("What it said", "输出"),
    "look": ("Show the path", "显示路径"),
    "strip": ("From picture to noise and back", "从图片到噪声，再回来"),
    "curve": ("alpha-bar by step: how much of the original is left", "各步的 alpha-bar：原件还剩多少"),
    "strength_curve": ("Where an edit of this strength starts", "这个强度的编辑从哪里开始"),
    "prove_about": (
        "Every formula that regrow uses, against an answer known in closed form.",
        "regrow 用到的每个公式，都与有解析解的答案对照。",
    ),
    "prove": ("Prove every formula now", "现在验证所有公式"),
    "check": ("Check", "检验"),
    # sentences, put together on the server
    "no_picture": ("Drop a picture first, or take the example.", "请先放一张图片，或用示例。"),
    "no_words": ("Say what it should show: the field for words is empty.", "请写下想要的内容：文字栏是空的。"),
    "no_wish": ("Say what the picture should become: that field is empty.", "请写下要变成什么：该栏是空的。"),
    "not_whole": (
        "{name} must be a whole number from 0 on; got {value}.",
        "{name} 必须是 0 或更大的整数；现在是 {value}。",
    ),
    "no_duration": ("Seconds must be from 0 to {most}.", "秒数要在 0 到 {most} 之间。"),
    "too_wide": ("Height and width can be {most} pixels at most.", "高和宽最多 {most} 像素。"),
    "no_span": (
        "A span needs a beginning before its end, both from 0 to {most} seconds.",
        "时间段要先起后止，都在 0 到 {most} 秒之间。",
    ),
    "the_image": ("the picture", "这张图片"),
    "the_sound": ("the sound", "这段声音"),
    "the_mask": ("the mask", "蒙版"),
    "the_melody": ("the melody", "旋律"),
    "waiting": ("Waiting: {place} before it.", "排队中：前面还有 {place} 个。"),
    "opening": ("Opening the model.", "正在打开模型。"),
    "step": ("{part}: step {index} of {steps}", "{part}：第 {index} 步，共 {steps} 步"),
    "step_of_unknown": ("{part}: step {index}", "{part}：第 {index} 步"),
    "part_invert": ("Rewinding", "倒回"),
    "part_regrow": ("Growing back", "重新生长"),
    "part_generate": ("Growing", "生长"),
    "part_tune": ("Tuning", "调节"),
    "part_verify": ("Checking", "检验"),
    "part_mask": ("Finding the mask", "寻找蒙版"),
    "part_strength": ("Finding the strength", "寻找强度"),
    "part_reference": ("Comparing with a fine path", "与细密路径对照"),
    "part_listen": ("Listening", "聆听"),
    "state_pass": ("pass", "通过"),
    "state_fail": ("FAIL", "未通过"),
    "state_measured": ("measured", "仅测量"),
    "state_undecided": ("undecided", "未定"),
    "done": (
        "Done: {evaluations} evaluations of the network, {seconds} s.",
        "完成：网络计算 {evaluations} 次，{seconds} 秒。",
    ),
    "kept_path": ("The path was kept from before.", "路径沿用之前的。"),
    "lost_codec": (
        "The model's codec changes the mel by {decibels} dB.",
        "模型的编解码器使梅尔谱改变 {decibels} 分贝。",
    ),
    "lost_phase": ("A wave made of the mel is {decibels} dB off.", "由梅尔谱合成的波形相差 {decibels} 分贝。"),
    "psnr": (
        "Reconstruction: PSNR {psnr} dB to the picture. A difference there is the model's own loss, not the edit's.",
        "还原：与原图的 PSNR 为 {psnr} dB；这里的差别来自模型本身，而不是编辑。",
    ),
    "failed": ("It did not work: {error}", "没有成功：{error}"),
    "cancelled": ("Cancelled.", "已取消。"),
    "same": ("The same, bit for bit.", "逐位相同。"),
    "not_same": ("NOT the same: another machine, library or thread count.", "不相同：机器、库或线程数不同。"),
    "proved": ("{passed} of {all} checks passed.", "{all} 项检验中通过 {passed} 项。"),
    "taken": ("Its settings are on the {tab} tab.", "设置已填到“{tab}”页。"),
    "taken_without": (
        "Its settings are on the Edit tab; what it was made from is not here, so drop that too.",
        "设置已填到“编辑”页；原件不在这里，请把原件也拖进去。",
    ),
    "before": ("as it was: {words}", "原来：{words}"),
    "pick_first": ("Pick one of the pictures or sounds first.", "请先点选一个图片或声音。"),
    "older": ("Show older ones", "显示更早的"),
    "local_only": (
        "Folders of this computer can be named only where the page listens to this computer alone.",
        "只有当页面仅监听本机时，才能指定本机文件夹。",
    ),
    "running": ("running", "进行中"),
    "stopped": ("stopped", "已停止"),
    "finished": ("finished", "已完成"),
    "run_line": ("{name}: {state}, step {step}", "{name}：{state}，第 {step} 步"),
    "run_loss": (", loss {loss}", "，损失 {loss}"),
    "run_rate": (", {rate} samples a second", "，每秒 {rate} 个样本"),
    "run_left": (", {left} left", "，剩余 {left}"),
    "no_name": ("Give the new model a plain name.", "请给新模型起一个简单的名字。"),
    "name_taken": (
        "There is a training or a model called {name}; choose another name, or resume it on the right.",
        "已有名为 {name} 的训练或模型；请另取名字，或在右边继续它。",
    ),
    "no_set": ("Name a folder, or upload some files.", "请指定文件夹，或上传文件。"),
    "already": ("That one is at work already, or none is chosen.", "它已在进行，或没有选中任何一个。"),
    "started": ("Started; it goes on when you close the page or the server.", "已开始；关闭页面或服务器也会继续。"),
    "stopping": ("It saves and stops.", "正在保存并停止。"),
    "no_repo": ("Give the repository as user/name.", "请按 user/name 的形式填写仓库。"),
    "opening_hub": ("Asking the hub.", "正在联系 Hugging Face。"),
    "got": ("{repo}: {came} of {size} came.", "{repo}：已下载 {came}，共 {size}。"),
    "rest": (
        "{came} of {size} of {repo} are here; the button fetches the rest.",
        "{repo} 已下载 {came}，共 {size}；点按钮继续。",
    ),
    "stopped_pull": (
        "Stopped; what came is kept, and the button goes on with it.",
        "已停止；已下载的部分会保留，点按钮可继续。",
    ),
    "added": ("Added: {name}.", "已加入：{name}。"),
}


def text(key: str) -> Any:  # gradio takes it wherever it takes a string, and types only some of these places so
    """A label that the browser translates."""
    assert key in TEXTS, key
    return I18N(key)


def said(key: str, request: gr.Request | None, **figures: object) -> str:
    """A sentence in the language of a request."""
    return TEXTS[key][speaks_chinese(request)].format(**figures)


def speaks_chinese(request: gr.Request | None) -> bool:
    """Whether a request comes from a browser that asks for Chinese first."""
    language = request.headers.get("accept-language", "") if request and request.headers else ""
    return language.lower().startswith("zh")


_ENGLISH, _CHINESE = ({key: pair[i] for key, pair in TEXTS.items()} for i in (0, 1))
I18N = gr.I18n(**{"en": _ENGLISH, "zh-CN": _CHINESE, "zh-TW": _CHINESE})
CHINESE = b"""<script>
if (/^zh/i.test(navigator.language) && !/^zh-(CN|TW)$/.test(navigator.language)) {
  const now = /hant|hk|mo|tw/i.test(navigator.language) ? 'zh-TW' : 'zh-CN';
  Object.defineProperty(navigator, 'language', { get: () => now });
}
</script>"""
"""Comes before gradio's own script, which knows Chinese by these two names only and shows English to all others."""
