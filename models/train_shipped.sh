#!/usr/bin/env bash
# Train the shipped weights and their leave-one-patient-out siblings, and put them into their folders.
#
#   models/train_shipped.sh DATA [RUNS]
#
# DATA holds ms_lesjak_mni (two MS patients, and masks of 27 others) and glioma_tcga_sri24 (one glioma patient, images
# only); LABEL_MAPS (default: DATA/../training/label_maps_synthseg) the twenty label maps of SynthSeg, for the brain mask; RUNS receives the runs (default: runs). A run that was interrupted goes on when this is called again.
# About five hours on two cores.
set -euo pipefail
data=${1:?give the folder of training data}
runs=${2:-runs}
here=$(cd "$(dirname "$0")" && pwd)
patients="$data/ms_lesjak_mni"
glioma="$data/glioma_tcga_sri24/TCGA-FG-6692"
masks="$data/ms_lesjak_mni/gold_standard_only"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
mkdir -p "$runs"

# Label maps of whole heads: the brain mask learns from nothing else, the segmenter of MS lesions from them too.
label_maps=$(cd "${LABEL_MAPS:-$data/../training/label_maps_synthseg}" && pwd)
echo subject,anatomy >"$runs/label_maps.csv"
for number in $(seq -w 1 16); do
    echo "map$number,$label_maps/training_seg_$number.nii.gz" >>"$runs/label_maps.csv"
done

run() { # METHOD NAME ARGUMENTS...
    local method=$1 output="$runs/$2"
    shift 2
    [ -f "$output/finished" ] && return
    # An empty list is an unset one in the bash of macOS, 3.2.
    local resume=()
    [ -f "$output/checkpoint.safetensors" ] && resume=(--resume)
    mrviewer train "$method" --output "$output" ${resume[@]+"${resume[@]}"} --set threads=1 --set "lesion_masks=$masks" "$@"
    touch "$output/finished"
}

reconstruction=(--set batch_size=4 --database simulated:40 --database "$glioma")
run d5c5 d5c5_base "${reconstruction[@]}" --set steps=900 --set real_share=0.3
for fold in no19:patient19 no07:patient07 all:; do
    name=${fold%%:*}
    held_out=(--set "hold_out=${fold#*:}")
    run d5c5 "d5c5_$name" "${reconstruction[@]}" --database "$patients" "${held_out[@]}" \
        --set steps=1100 --set learning_rate=8e-4 --set real_share=0.85 --set phase_share=0.2 --set noise_share=0.2 \
        --set coil_share=0.15 --set main_share=0.6 --set "start_from=$runs/d5c5_base/weights.safetensors"
    run unet-full "unet_$name" --database simulated:40 --database "$patients" "${held_out[@]}" \
        --set steps=1000 --set real_share=0.65
    run unet-full "unet2_$name" --database simulated:40 --database "$patients" "${held_out[@]}" \
        --set steps=260 --set learning_rate=1e-3 --set real_share=0.75 --set lesion_share=0.6 \
        --set contrast_spread=0.12 --set noise_share=0.2 --set "start_from=$runs/unet_$name/weights.safetensors"
    run itfs-drlc "itfs_$name" --database simulated:40 --database "$patients" "${held_out[@]}" \
        --set steps=150 --set steps_per_epoch=30 --set batch_size=4 --set learning_rate=2e-4 --set loss_seg=dice_ce \
        --set real_share=0.75 --set phase_share=0.2 --set noise_share=0.2 --set coil_share=0.15 --set main_share=0.6 \
        --set "reconstruction_from=$runs/d5c5_$name/weights.safetensors" \
        --set "segmentation_from=$runs/unet2_$name/weights.safetensors"
done

python "$here/ship.py" d5c5 "$runs/d5c5_all" "$runs/d5c5_no19" "$runs/d5c5_no07"
python "$here/ship.py" unet-full "$runs/unet2_all" "$runs/unet2_no19" "$runs/unet2_no07"
python "$here/ship.py" itfs-drlc "$runs/itfs_all" "$runs/itfs_no19" "$runs/itfs_no07"

# The methods below hold patient 19 out once, and simulated patients with it: what is shipped is what was measured.
shares=(--set phase_share=0.2 --set noise_share=0.2 --set coil_share=0.15 --set main_share=0.6)
mixed=(--database simulated:40 --database simulated:1@5000 --database "$patients" --database "$glioma"
    --set hold_out=patient19,simulated-5000)
run cirim cirim_first "${mixed[@]}" "${shares[@]}" --set steps=1800 --set learning_rate=3e-3
run cirim cirim --database simulated:40 --database simulated:2@5000 --database "$patients" --database "$glioma" \
    --set hold_out=patient19,simulated-5000,simulated-5001 --set steps=900 --set learning_rate=1.5e-3 --set seed=2 \
    --set phase_share=0.4 --set noise_share=0.35 --set coil_share=0.4 --set main_share=0.6 \
    --set "start_from=$runs/cirim_first/weights.safetensors"
run mtlrs mtlrs "${mixed[@]}" "${shares[@]}" --set steps=450 --set reconstruction_scale=50 \
    --set "reconstruction_from=$runs/cirim_first/weights.safetensors"
run synnet synnet "${mixed[@]}" "${shares[@]}" --set steps=420 --set loss_seg=dice_ce
run linet linet "${mixed[@]}" "${shares[@]}" --set steps=600 --set loss_seg=dice_ce
run seranet seranet "${mixed[@]}" "${shares[@]}" --set steps=350 --set loss_seg=dice_ce --set seg_input=magnitude
run recseg recseg "${mixed[@]}" "${shares[@]}" --set steps=400 --set batch_size=3
run segnetmri segnetmri "${mixed[@]}" "${shares[@]}" --set steps=420
run idslr idslr "${mixed[@]}" "${shares[@]}" --set steps=400 --set alpha=1e-3
run semunet semunet "${mixed[@]}" --set steps=560 --set learning_rate=0.002 --set slope=150 --set loss_seg=bce_dice \
    --set segmentation_weight=0.02
many=(--database simulated:16 --database simulated-stroke:16 --database simulated-glioma:16 --database simulated:1@5000
    --database simulated-stroke:1@5000 --database simulated-glioma:1@5000 --database "$patients"
    --database "$(dirname "$glioma")" --set hold_out=patient19,simulated-5000,simulated-stroke-5000,simulated-glioma-5000)
run multiunet multiunet_first "${many[@]}" --set steps=330
run multiunet multiunet "${many[@]}" --set steps=200 --set learning_rate=1.5e-3 --set seed=2 \
    --set "start_from=$runs/multiunet_first/weights.safetensors"
livers=$(seq -s, -f 'simulated-liver-%g' 7000 7007)
run mtinet mtinet --database simulated-liver:80 --database simulated-liver:8@7000 --set "hold_out=$livers" --set steps=1100
for method in cirim mtlrs multiunet mtinet synnet linet seranet recseg segnetmri idslr semunet; do
    python "$here/ship.py" "$method" "$runs/$method" "$runs/$method"
done

run brain-mask brain_mask --database "$runs/label_maps.csv" --set steps=3000
python "$here/ship.py" brain-mask "$runs/brain_mask"
