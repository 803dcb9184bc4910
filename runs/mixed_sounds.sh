#!/usr/bin/env bash
# 60 sounds as people have them, in mixed formats, rates and depths, and six that are broken or nothing, for
# `regrow train FOLDER --medium sound`. Needs Debian's sox, libsox-fmt-mp3, espeak-ng and sonic-pi-samples (CC0).
# runs/mixed_sounds.sh FOLDER
set -euo pipefail
folder=$1
samples=/usr/share/sonic-pi/samples
mkdir -p "$folder"/{drums,loops,voice}
i=0
for name in bd_ada bd_boom bd_fat bd_haus drum_bass_hard drum_cowbell drum_cymbal_open drum_heavy_kick drum_roll drum_snare_hard \
    elec_beep elec_bell elec_chime elec_flip elec_ping elec_pop elec_twang perc_bell perc_snap perc_swash; do
    case $((i % 5)) in
        0) sox "$samples/$name.flac" -r 22050 "$folder/drums/$name.wav" ;;
        1) sox "$samples/$name.flac" -r 8000 -c 1 -b 8 -e unsigned "$folder/drums/$name.wav" ;;
        2) sox "$samples/$name.flac" -r 96000 -b 24 "$folder/drums/$name.wav" ;;
        3) sox "$samples/$name.flac" "$folder/drums/$name.mp3" ;;
        4) cp "$samples/$name.flac" "$folder/drums/$name.flac" ;;
    esac
    i=$((i + 1))
done
for name in ambi_choir ambi_dark_woosh ambi_drone ambi_glass_hum ambi_lunar_land ambi_piano ambi_soft_buzz ambi_swoosh bass_dnb_f \
    bass_hard_c bass_hit_c bass_thick_c bass_trance_c bass_woodsy_c guit_e_fifths guit_e_slide guit_em9 guit_harmonics loop_safari \
    loop_tabla; do
    sox "$samples/$name.flac" -r $((11025 * (1 + i % 4))) "$folder/loops/$name.ogg"
    i=$((i + 1))
done
n=0
for words in "a slow piano melody" "one two three four" "the kitten is a puppy" "singing in the rain" "a penguin on a beach" \
    "how loud is silence" "a sample is a number" "phase is an angle" "mel is a scale" "noise and back" \
    "long files are cut" "short files are filled" "every slice is used" "nothing is lost"; do
    espeak-ng -w "$folder/voice/$n.wav" "$words"
    n=$((n + 1))
done
echo "this is no sound" > "$folder/voice/broken.wav"
sox -n -r 22050 "$folder/voice/silent.wav" trim 0 3
sox -n -r 22050 "$folder/voice/one.wav" synth 1 sine 440 trim 0 1s
head -c 3000 "$folder/voice/0.wav" > "$folder/voice/cut.wav"
cp "$folder/voice/1.wav" "$folder/voice/copy.wav"
: > "$folder/voice/empty.wav"
find "$folder" -type f | wc -l
